import Effects
import Primitives
import Records
import Testing

@testable import Storage

/// Compaction against what was appended: random keys, tombstones, codecs, sizes, clocks, bounds and memory.
@Suite struct CleaningModelTests {
  /// What a compacted log may show of the records that were put into it.
  struct Model {
    var appended: [KeyedRecord] = []
    /// Until when each tombstone must stay: since a cleaning first had all of its batch.
    var horizons: [Int64: Int64] = [:]
    var lastOfBatch: [Int64: Int64] = [:]

    /// Whatever a cleaning was stopped at: nothing is wrong, nothing newest is gone.
    func check(_ shown: [KeyedRecord], bound: Int64, now: Int64) {
      let all = Dictionary(uniqueKeysWithValues: appended.map { ($0.offset, $0) })
      var previous: Int64 = -1
      for record in shown {
        #expect(record.offset > previous)
        previous = record.offset
        #expect(all[record.offset] == record)
      }
      let offsets = Set(shown.map(\.offset))
      for record in appended where record.offset >= bound { #expect(offsets.contains(record.offset)) }
      var oldest: [[UInt8]: Int64] = [:]
      for record in shown.reversed() { if let key = record.key { oldest[key] = record.offset } }
      var newest: [[UInt8]: KeyedRecord] = [:]
      for record in appended { if let key = record.key { newest[key] = record } }
      for (key, record) in newest {
        if record.value != nil || horizons[record.offset].map({ now < $0 }) ?? true {
          #expect(offsets.contains(record.offset), "the newest of \(key), at \(record.offset)")
        } else if !offsets.contains(record.offset) {
          #expect(oldest[key] == nil, "\(key) came back at \(oldest[key] ?? -1)")
        }
      }
    }

    /// A cleaning went through up to `end`: each key is there once before that.
    mutating func checkCleaned(_ shown: [KeyedRecord], upTo end: Int64, now: Int64, retentionMs: Int64) {
      var seen: Set<[UInt8]> = []
      for record in shown.reversed() where record.offset < end {
        guard let key = record.key else {
          Issue.record("a record without a key at \(record.offset)")
          continue
        }
        #expect(seen.insert(key).inserted, "\(key) twice, at \(record.offset) again")
        guard record.value == nil else { continue }
        if let horizon = horizons[record.offset] {
          #expect(now < horizon, "the tombstone at \(record.offset) outlived \(horizon)")
        } else if let last = lastOfBatch[record.offset], last < end {
          horizons[record.offset] = now + retentionMs
        }
      }
    }
  }

  @Test(arguments: 0..<40) func keepsTheNewestOfEachKey(seed: UInt64) throws {
    var random = SeededGenerator(seed &* 977)
    let fixture = try LogFixture.compacted {
      $0.segmentBytes = .random(in: 700...4000, using: &random)
      $0.indexIntervalBytes = .random(in: 0...600, using: &random)
    }
    fixture.events.events.removeAll()
    var model = Model()
    var sequences: [Int64: Int32] = [:]
    for round in 0..<12 {
      for _ in 0..<Int.random(in: 5...40, using: &random) {
        try Self.appendRandomBatch(fixture, &model, &random, keyCount: 25, &sequences)
      }
      try fixture.log.flush()
      let limits = CleaningLimits(
        mapByteCountMax: Bool.random(using: &random) ? 1 << 20 : 24 * Int.random(in: 4...40, using: &random))
      let end = fixture.log.writtenEndOffset.value
      let limit = Bool.random(using: &random) ? end : Int64.random(in: 0...end, using: &random)
      let before = fixture.log.firstDirtyOffset
      let result = try fixture.clean(limits, upTo: Offset(limit), seed: seed)
      let clean = fixture.log.firstDirtyOffset
      #expect(result == nil || clean > before)
      #expect(clean.value <= max(before.value, min(limit, fixture.log.active.baseOffset.value)))
      let shown = try fixture.records()
      if result != nil {
        model.checkCleaned(
          shown, upTo: clean.value, now: fixture.now.milliseconds, retentionMs: fixture.config.deleteRetentionMs)
      }
      model.check(shown, bound: clean.value, now: fixture.now.milliseconds)
      try compareLookups(fixture, shown, &random)
      if round % 3 == 2 { try reopen(fixture, &random, clean, sequences) }
      #expect(try fixture.records() == shown)
      fixture.now = Timestamp(
        milliseconds: fixture.now.milliseconds + Int64.random(in: -500...4000, using: &random))
    }
    #expect(fixture.events.events.filter { if case .rolled = $0 { false } else { true } } == [])
  }

  /// Appends a batch of records with random keys; `sequences` are those of producers 0 to 3.
  static func appendRandomBatch(
    _ fixture: LogFixture, _ model: inout Model, _ random: inout SeededGenerator, keyCount: Int,
    _ sequences: inout [Int64: Int32]
  ) throws {
    let base = fixture.log.logEndOffset.value
    var records: [KeyedRecord] = []
    for number in 0..<Int64.random(in: 1...6, using: &random) {
      let isTombstone = Int.random(in: 0..<5, using: &random) == 0
      let hasKey = Int.random(in: 0..<40, using: &random) > 0
      let value = [UInt8](repeating: .random(in: 0...255, using: &random), count: .random(in: 0...60, using: &random))
      records.append(
        KeyedRecord(
          hasKey ? Array("key \(Int.random(in: 0..<keyCount, using: &random))".utf8) : nil, isTombstone ? nil : value,
          timestamp: fixture.now.milliseconds + Int64.random(in: -2000...2000, using: &random), offset: base + number))
    }
    let producer = Int64.random(in: -1...3, using: &random)
    let sequence = producer < 0 ? -1 : sequences[producer] ?? 0
    let batch = makeBatch(
      records, compression: CompressionType.allCases.randomElement(using: &random) ?? .none, producerID: producer,
      baseSequence: sequence)
    guard batch.count <= fixture.config.segmentBytes else { return }
    try fixture.append(batch)
    if producer >= 0 { sequences[producer] = sequence + Int32(records.count) }
    model.appended += records
    for record in records { model.lastOfBatch[record.offset] = base + Int64(records.count) - 1 }
  }

  static func appendRandomBatch(
    _ fixture: LogFixture, _ model: inout Model, _ random: inout SeededGenerator, keyCount: Int
  ) throws {
    var sequences: [Int64: Int32] = [:]
    try appendRandomBatch(fixture, &model, &random, keyCount: keyCount, &sequences)
  }

  /// Reads at every kind of offset, and lookups by time, against the records that are there.
  private func compareLookups(
    _ fixture: LogFixture, _ shown: [KeyedRecord], _ random: inout SeededGenerator
  ) throws {
    let headers = try fixture.batches().map(\.header)
    let end = fixture.log.writtenEndOffset.value
    for _ in 0..<20 {
      let offset = Int64.random(in: 0..<max(1, end), using: &random)
      let read = splitBatches(try fixture.read(offset)).first?.header
      #expect(mayBegin(read, at: offset, of: headers))
    }
    for _ in 0..<10 {
      let time = fixture.now.milliseconds + Int64.random(in: -9000...3000, using: &random)
      let found = try fixture.log.offsetForTimestamp(Timestamp(milliseconds: time), upTo: Offset(end))
      #expect(found?.offset.value == shown.first { $0.timestamp >= time }?.offset)
    }
    let latest = shown.map(\.timestamp).max()
    let found = try fixture.log.offsetOfMaxTimestamp(upTo: Offset(end))
    #expect(found?.offset.value == shown.first { $0.timestamp == latest }?.offset)
  }

  /// Opens the log again, sometimes without any snapshot: what producers sent last is in the batches.
  private func reopen(
    _ fixture: LogFixture, _ random: inout SeededGenerator, _ clean: Offset, _ sequences: [Int64: Int32]
  ) throws {
    let isClean = Bool.random(using: &random)
    if isClean { try fixture.log.close() } else { fixture.log.releaseFiles() }
    for name in try fixture.fileSystem.list(fixture.directory) where name.hasSuffix(".snapshot") {
      try fixture.fileSystem.removeFile(fixture.directory + "/" + name)
    }
    try fixture.open(isClean ? .clean : .unclean, firstDirtyOffset: clean)
    #expect(fixture.log.firstDirtyOffset == clean)
    for (producer, next) in sequences {
      #expect(fixture.log.producers.states[ProducerID(producer)]?.lastSequence == next - 1)
    }
  }
}
