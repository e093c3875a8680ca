import Effects
import Primitives
import Records
import Simulation
import Testing

@testable import Storage

/// A log that was closed in order is believed, but not blindly: people cut, swap, rename and copy files.
@Suite struct LogTrustTests {
  private let config = LogConfig(segmentBytes: 1200, indexIntervalBytes: 150)

  private func closed(isCompacted: Bool = false) throws -> (disk: SimulatedDisk, logs: [String]) {
    let disk = SimulatedDisk()
    let fixture = try LogFixture(config, fileSystem: disk)
    for number in 0..<40 { try fixture.append(makeBatch(2, timestamp: 1000 + Int64(number))) }
    try fixture.log.close()
    let names = disk.names(in: LogFixture.directory).filter { $0.hasSuffix(".log") }
    return (disk, names.map { LogFixture.directory + "/" + $0 })
  }

  private func events(_ disk: SimulatedDisk, isCompacted: Bool = false) throws -> [LogEvent] {
    var config = config
    config.isCompacted = isCompacted
    let fixture = try LogFixture(config, fileSystem: disk)
    defer { fixture.log.releaseFiles() }
    return fixture.events.events
  }

  private func base(_ path: String) -> Offset {
    LogFileName.baseOffset(of: String(path.suffix(24)), suffix: ".log") ?? Offset(-1)
  }

  @Test func nothingIsSaidOfAWholeLog() throws {
    let (disk, _) = try closed()
    #expect(try events(disk).isEmpty)
  }

  @Test func aSegmentCutAtABatchIsMissedAtEveryStart() throws {
    let (disk, logs) = try closed()
    let bytes = try #require(disk.contents(logs[1]))
    let first = splitBatches(bytes)[0]
    disk.setContents(logs[1], first.bytes)
    for _ in 0..<2 {
      #expect(
        try events(disk).contains(
          .missingOffsets(
            TopicPartition("orders", 0), path: logs[1], from: first.header.nextOffset, to: base(logs[2]))))
    }
  }

  @Test func aSegmentCutWithinABatchIsDamagedAtEveryStart() throws {
    let (disk, logs) = try closed()
    disk.setContents(logs[1], try #require(disk.contents(logs[1])).dropLast(7))
    for _ in 0..<2 {
      let offsets = try events(disk).compactMap { event -> Range<Offset>? in
        if case .damagedBatch(_, logs[1], _, let offsets, _) = event { offsets } else { nil }
      }
      #expect(offsets == [base(logs[2]).advanced(by: -2)..<base(logs[2])])
    }
  }

  @Test func aSegmentOfAnotherPlaceIsNotServed() throws {
    let (disk, logs) = try closed()
    let (one, other) = (try #require(disk.contents(logs[1])), try #require(disk.contents(logs[2])))
    disk.setContents(logs[1], other)
    disk.setContents(logs[2], other)
    disk.setContents(logs[1], one + other)
    let paths = try events(disk).compactMap { event -> String? in
      if case .damagedBatch(_, let path, _, _, _) = event { path } else { nil }
    }
    #expect(paths == [logs[1]])
  }

  @Test func aSegmentThatIsGoneIsMissed() throws {
    let (disk, logs) = try closed()
    try disk.removeFile(logs[1])
    #expect(
      try events(disk).contains(
        .missingOffsets(TopicPartition("orders", 0), path: logs[0], from: base(logs[1]), to: base(logs[2]))))
    // Of a compacted log nobody can say.
    #expect(try !events(disk, isCompacted: true).contains { if case .missingOffsets = $0 { true } else { false } })
  }

  @Test func whatIsCutOffALogThatWasClosedInOrderIsKept() throws {
    let (disk, logs) = try closed()
    let last = try #require(logs.last)
    let garbage = [UInt8](repeating: 0xa5, count: 300)
    disk.setContents(last, garbage)
    #expect(
      try events(disk).contains(
        .keptDamagedBytes(TopicPartition("orders", 0), path: last + ".damaged-0", byteCount: 300)))
    #expect(disk.contents(last + ".damaged-0") == garbage)
  }
}
