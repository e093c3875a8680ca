import Primitives
import Records
import Simulation
import Testing

@testable import Storage

/// Two replicas of a log, byte for byte the same: one is damaged, and asks the other.
final class RepairFixture {
  static let config = LogConfig(segmentBytes: 1200, indexIntervalBytes: 150)
  let other: LogFixture
  let batches: [(header: RecordBatchHeader, bytes: [UInt8])]
  private(set) var own: LogFixture

  /// - Parameter damage: what is done to the files of one replica before it is opened.
  init(_ config: LogConfig = RepairFixture.config, damage: (SimulatedDisk) throws -> Void = { _ in }) throws {
    let disk = SimulatedDisk()
    other = try LogFixture(config, fileSystem: disk)
    for number in 0..<40 {
      try other.append(makeBatch(2, timestamp: 1000 + Int64(number)), epoch: Int32(number / 5))
    }
    try other.log.flush()
    var batches: [(header: RecordBatchHeader, bytes: [UInt8])] = []
    try other.log.scan(from: .zero, upTo: other.log.logEndOffset) { batches.append(($0, Array($1))) }
    self.batches = batches
    let copy = disk.copy()
    try damage(copy)
    own = try LogFixture(config, fileSystem: copy, recovery: .unclean)
  }

  var disk: SimulatedDisk { get throws { try #require(own.fileSystem as? SimulatedDisk) } }

  static func paths(_ disk: SimulatedDisk) -> [String] {
    disk.names(in: LogFixture.directory).filter { $0.hasSuffix(".log") }.map { LogFixture.directory + "/" + $0 }
  }

  static func change(_ path: String, _ disk: SimulatedDisk, _ change: (inout [UInt8]) -> Void) throws {
    var bytes = try #require(disk.contents(path))
    change(&bytes)
    disk.setContents(path, bytes)
  }

  /// What the other replica answers to a fetch.
  func fetch(_ offset: Offset, maxBytes: Int = 300) throws -> [UInt8] {
    try other.read(offset.value, maxBytes: maxBytes)
  }

  /// Fetches until the draft is ready, or does not fit.
  func fill(_ draft: inout RepairDraft) throws -> RepairStep {
    while true {
      let before = draft.nextOffset
      let step = try fetch(draft.nextOffset).withUnsafeBytes { draft.take($0) }
      guard step == .wantsMore else { return step }
      try #require(draft.nextOffset > before, "nothing comes at \(before.value)")
    }
  }

  /// Repairs everything; returns the offsets that are right again.
  @discardableResult
  func repairAll() throws -> [Range<Offset>] {
    var repaired: [Range<Offset>] = []
    while let place = own.log.damagedPlace {
      var draft = RepairDraft(place)
      let step = try fill(&draft)
      try #require(step == .isReady, "\(place)")
      let work = try #require(try own.log.repairWork(draft))
      repaired.append(try #require(own.log.finishRepair(work, try work.run(own.fileSystem))))
    }
    return repaired
  }

  /// The files are the same as those of the other replica, and every record is found by its offset.
  func expectWhole(_ comment: Comment? = nil) throws {
    let disk = try disk
    let intact = try #require(other.fileSystem as? SimulatedDisk)
    for path in Self.paths(intact) { #expect(disk.contents(path) == intact.contents(path), comment) }
    for (mine, others) in zip(own.log.segments.dropLast(), other.log.segments) {
      #expect(mine.maxTimestamp == others.maxTimestamp, comment)
      #expect(mine.offsetIndex.count == others.offsetIndex.count, comment)
      #expect(mine.timeIndex.count == others.timeIndex.count, comment)
    }
    for batch in batches {
      for offset in batch.header.baseOffset.value...batch.header.lastOffset.value {
        #expect(splitBatches(try own.read(offset)).first?.bytes == batch.bytes, comment)
      }
      let found = try own.log.offsetForTimestamp(batch.header.maxTimestamp, upTo: own.log.logEndOffset)
      #expect(found != nil, comment)
    }
  }
}
