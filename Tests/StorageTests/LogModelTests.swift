import Effects
import Primitives
import Records
import Simulation
import Synchronization
import Testing

@testable import Storage

/// A log against the simplest thing that says the same: a list of batches.
@Suite struct LogModelTests {
  struct Model {
    struct Entry {
      let base: Int64
      let last: Int64
      let bytes: [UInt8]
    }
    var entries: [Entry] = []
    var end: Int64 = 0

    mutating func append(_ batch: [UInt8], records: Int, epoch: Int32) {
      var bytes = batch
      bytes.withUnsafeMutableBytes { buffer in
        buffer.baseAddress?.storeBigEndian(end, at: 0)
        buffer.baseAddress?.storeBigEndian(epoch, at: 12)
      }
      entries.append(Entry(base: end, last: end + Int64(records) - 1, bytes: bytes))
      end += Int64(records)
    }

    /// Whole batches from the one that holds `offset` on, none that reaches `limit`.
    func read(_ offset: Int64, limit: Int64) -> [[UInt8]] {
      entries.filter { $0.last >= offset && $0.last < limit }.map(\.bytes)
    }
  }

  @Test(arguments: 0..<24) func readsWhatWasAppended(seed: UInt64) throws {
    var random = SeededGenerator(seed)
    let fixture = try LogFixture(
      LogConfig(
        segmentBytes: .random(in: 600...20_000, using: &random),
        indexIntervalBytes: .random(in: 0...900, using: &random)))
    var model = Model()
    for step in 0..<400 {
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<50:
        let count = Int.random(in: 1...5, using: &random)
        let large = Int.random(in: 0..<12, using: &random) == 0
        let size = large ? fixture.config.segmentBytes / 8 : 20
        let batch = makeBatch(count, valueByteCount: Int.random(in: 0...size, using: &random))
        guard batch.count <= fixture.config.segmentBytes else { continue }
        try fixture.append(batch, epoch: Int32(step / 50))
        model.append(batch, records: count, epoch: Int32(step / 50))
      case 50..<65: try fixture.log.writePending()
      case 65..<94: try compareRead(fixture, model, &random)
      case 94..<96:
        try fixture.log.writePending()
        try fixture.reopen(.unclean)
      case 96..<98: try fixture.reopen(.clean)
      case 98:
        try fixture.log.writePending()
        try fixture.reopen(.unclean(recoveryPoint: fixture.log.recoveryPoint))
      default: try fixture.log.flush()
      }
      #expect(fixture.log.logEndOffset.value == model.end)
      #expect(fixture.log.recovered.truncatedBytes == 0)
    }
    try fixture.log.writePending()
    try compareScan(fixture, model)
    #expect(fixture.log.sizeBytes == model.entries.reduce(0) { $0 + Int64($1.bytes.count) })
  }

  private func compareRead(
    _ fixture: LogFixture, _ model: Model, _ random: inout SeededGenerator, from start: Int64 = 0
  ) throws {
    let written = fixture.log.writtenEndOffset.value
    let offset = Int64.random(in: start...model.end, using: &random)
    let limit = Bool.random(using: &random) ? model.end : Int64.random(in: 0...model.end, using: &random)
    let maxBytes = Int.random(in: 0...3000, using: &random)
    let minOneBatch = Bool.random(using: &random)
    let slice = try fixture.log.read(
      from: Offset(offset), maxBytes: maxBytes, upTo: Offset(limit), minOneBatch: minOneBatch)
    let bytes = try fixture.bytes(slice)
    let got = splitBatches(bytes).map(\.bytes)
    let all = model.read(offset, limit: min(limit, written))
    #expect(Array(all.prefix(got.count)) == got)
    if let first = all.first {
      #expect(got.isEmpty == (!minOneBatch && first.count > maxBytes), "\(offset) \(limit) \(maxBytes) \(minOneBatch)")
      #expect(bytes.count <= max(maxBytes, minOneBatch ? first.count : 0))
      if !got.isEmpty, let next = slice.nextOffset {
        #expect(bytes.count == got.reduce(0) { $0 + $1.count })
        #expect(next.value == model.entries.first { $0.bytes == got.last }.map { $0.last + 1 })
      }
    } else {
      #expect(bytes.isEmpty)
    }
  }

  private func compareScan(_ fixture: LogFixture, _ model: Model) throws {
    var scanned: [[UInt8]] = []
    try fixture.log.scan(from: .zero, upTo: fixture.log.logEndOffset) { _, batch in scanned.append(Array(batch)) }
    #expect(scanned == model.entries.map(\.bytes))
  }

  /// Cuts at both ends, at random, between appends and restarts.
  @Test(arguments: 0..<12) func cutsAtBothEnds(seed: UInt64) throws {
    var random = SeededGenerator(seed + 100)
    let fixture = try LogFixture(LogConfig(segmentBytes: 900, indexIntervalBytes: 100, retentionMs: -1))
    var model = Model()
    var start: Int64 = 0
    for step in 0..<300 {
      switch Int.random(in: 0..<20, using: &random) {
      case 0..<14:
        let count = Int.random(in: 1...4, using: &random)
        let batch = makeBatch(count)
        try fixture.append(batch, epoch: Int32(step / 20))
        model.append(batch, records: count, epoch: Int32(step / 20))
      case 14:
        let offset = Int64.random(in: start...model.end, using: &random)
        try fixture.log.truncate(to: Offset(offset), now: fixture.now)
        model.entries.removeAll { $0.last >= offset }
        model.end = min(model.end, model.entries.last.map { $0.last + 1 } ?? fixture.log.logEndOffset.value)
        if start > model.end { start = model.end }
      case 15:
        start = Int64.random(in: start...model.end, using: &random)
        try fixture.log.deleteRecords(before: Offset(start), now: fixture.now)
        model.entries.removeAll { $0.last < start && $0.last < fixture.log.segments[0].baseOffset.value }
      case 16:
        try fixture.log.writePending()
        try fixture.reopen(step % 2 == 0 ? .clean : .unclean, logStartOffset: Offset(start))
      default: try compareRead(fixture, model, &random, from: start)
      }
      #expect(fixture.log.logEndOffset.value == model.end)
      #expect(fixture.log.logStartOffset.value == start)
    }
  }

  @Test func refusesOffsetsOutsideOfTheLog() throws {
    let fixture = try LogFixture()
    try fixture.append(makeBatch(3))
    try fixture.log.writePending()
    #expect(throws: LogError.offsetOutOfRange(logStart: .zero, logEnd: Offset(3))) { try fixture.read(4) }
    #expect(throws: LogError.offsetOutOfRange(logStart: .zero, logEnd: Offset(3))) { try fixture.read(-1) }
    #expect(try fixture.read(3).isEmpty)
  }

  @Test func aFetchWithinABatchReturnsTheWholeBatch() throws {
    let fixture = try LogFixture()
    let batch = makeBatch(5)
    try fixture.append(batch)
    try fixture.log.writePending()
    let slice = try fixture.log.read(from: Offset(3), maxBytes: 1, upTo: Offset(5), minOneBatch: true)
    #expect(slice.baseOffset == .zero)
    #expect(slice.nextOffset == Offset(5))
    #expect(slice.range?.byteCount == batch.count)
  }

  @Test func nothingIsReadBeforeItIsWritten() throws {
    let fixture = try LogFixture()
    try fixture.append(makeBatch(1))
    #expect(fixture.log.logEndOffset == Offset(1))
    #expect(fixture.log.writtenEndOffset == .zero)
    #expect(try fixture.read(0).isEmpty)
    try fixture.log.writePending()
    #expect(try fixture.read(0).isEmpty == false)
  }

  @Test func tailingConsumersReadNoHeader() throws {
    let disk = SimulatedDisk()
    let fixture = try LogFixture(LogConfig(), fileSystem: disk)
    for number in 0..<200 {
      try fixture.append(makeBatch(1))
      try fixture.log.writePending()
      let before = disk.count(of: .read)
      _ = try fixture.log.read(from: Offset(Int64(number)), maxBytes: 1 << 20, upTo: Offset(.max), minOneBatch: true)
      #expect(disk.count(of: .read) == before)
    }
  }
}
