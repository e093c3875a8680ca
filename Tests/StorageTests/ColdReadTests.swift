import Effects
import Primitives
import Simulation
import Testing

@testable import Storage

@Suite struct ColdReadTests {
  /// Two closed segments and an active one, none of them in memory.
  private func fixture() throws -> (LogFixture, SimulatedDisk) {
    let disk = SimulatedDisk(folders: ["data"], pageByteCount: 512, isCacheWarm: false)
    let fixture = try LogFixture(LogConfig(segmentBytes: 800, indexIntervalBytes: 100), fileSystem: disk)
    for _ in 0..<12 { try fixture.append(makeBatch(2, valueByteCount: 60)) }
    try fixture.log.flush()
    return (fixture, disk)
  }

  private func coldRead(_ fixture: LogFixture, from offset: Int64, bytesMax: Int = 1 << 20) throws -> ColdRead {
    let slice = try fixture.log.read(from: Offset(offset), maxBytes: 1 << 20, upTo: Offset(.max), minOneBatch: true)
    return try #require(try fixture.log.coldRead(of: slice, bytesMax: bytesMax))
  }

  private static let path = LogFixture.directory + "/00000000000000000000.log"

  @Test func whatIsSoundIsSaidToBe() throws {
    let (fixture, _) = try fixture()
    let read = try coldRead(fixture, from: 0)
    #expect(read.range.byteCount > 300)
    #expect(try read.run() == nil)
  }

  @Test func theEndOfTheActiveSegmentIsInMemoryWithoutAsking() throws {
    let (fixture, _) = try fixture()
    let slice = try fixture.log.read(from: Offset(22), maxBytes: 1000, upTo: Offset(.max), minOneBatch: true)
    #expect(slice.range != nil)
    #expect(try fixture.log.coldRead(of: slice, bytesMax: 1000) == nil)
  }

  @Test func itReadsNoMoreThanItMayButOneWholeBatch() throws {
    let (fixture, _) = try fixture()
    let batch = try fixture.log.read(from: .zero, maxBytes: 1, upTo: Offset(.max), minOneBatch: true)
    let read = try coldRead(fixture, from: 0, bytesMax: 10)
    #expect(read.range.byteCount == batch.range?.byteCount)
  }

  @Test func aFlippedBitIsFoundWhereItsBatchBegins() throws {
    let (fixture, disk) = try fixture()
    let size = try #require(
      try fixture.log.read(from: .zero, maxBytes: 1, upTo: Offset(.max), minOneBatch: true).range?.byteCount)
    disk.flipBit(3, ofByte: size + 100, in: Self.path)
    let read = try coldRead(fixture, from: 0)
    let damage = try #require(try read.run())
    #expect(damage.position == Int64(size))
    #expect(try fixture.log.noteDamage(damage, foundBy: read) == Offset(2)..<Offset(4))
    #expect(throws: LogError.self) {
      try fixture.log.read(from: Offset(2), maxBytes: 1000, upTo: Offset(.max), minOneBatch: true)
    }
  }

  /// A length that is damaged is not taken for the end of what was asked for: a consumer would ask for ever.
  @Test func aBatchThatClaimsToReachBeyondItsSegmentIsDamaged() throws {
    let (fixture, disk) = try fixture()
    let size = try #require(
      try fixture.log.read(from: .zero, maxBytes: 1, upTo: Offset(.max), minOneBatch: true).range?.byteCount)
    // The third byte of the length of the second batch.
    disk.flipBit(4, ofByte: size + 9, in: Self.path)
    #expect(try coldRead(fixture, from: 0).run()?.position == Int64(size))
  }

  @Test func aFileThatEndsEarlyIsDamagedThere() throws {
    let (fixture, disk) = try fixture()
    let read = try coldRead(fixture, from: 0)
    try disk.open(Self.path, .readWrite).truncate(to: 250)
    #expect(try read.run()?.position == 250)
  }
}

/// What is in memory, and how it came there.
@Suite struct UncheckedReadTests {
  private let config = LogConfig(segmentBytes: 800, indexIntervalBytes: 100)
  private static let path = LogFixture.directory + "/00000000000000000000.log"

  private func fixture(_ disk: SimulatedDisk, _ batchCount: Int) throws -> LogFixture {
    let fixture = try LogFixture(config, fileSystem: disk)
    for _ in 0..<batchCount { try fixture.append(makeBatch(2, valueByteCount: 60)) }
    try fixture.log.flush()
    return fixture
  }

  private func work(_ log: Log, from offset: Int64) throws -> ColdRead? {
    let slice = try log.read(from: Offset(offset), maxBytes: 1, upTo: Offset(.max), minOneBatch: true)
    return try log.coldRead(of: slice, bytesMax: 1 << 20)
  }

  /// No checksum stands between a consumer and what this process has written.
  @Test func whatWasWrittenHereIsServedFromMemory() throws {
    let log = try fixture(SimulatedDisk(folders: ["data"], pageByteCount: 512, isCacheWarm: true), 12).log
    for offset: Int64 in [0, 6, 12, 22] { #expect(try work(log, from: offset) == nil) }
  }

  @Test func whatWasThereAtTheStartIsCheckedThoughItIsInMemory() throws {
    let disk = SimulatedDisk(folders: ["data"], pageByteCount: 512, isCacheWarm: true)
    try fixture(disk, 12).log.close(syncing: true)
    let log = try fixture(disk, 0).log
    for offset: Int64 in [0, 6, 12, 22] { #expect(try #require(try work(log, from: offset)).run() == nil) }
    // What comes behind it, in the same segment, is this process's.
    let appended = try fixture(disk, 1).log
    #expect(try work(appended, from: 24) == nil && work(appended, from: 22) != nil)
    disk.flipBit(3, ofByte: 150, in: Self.path)
    let read = try #require(try work(log, from: 0))
    let damage = try #require(try read.run())
    #expect(try log.noteDamage(damage, foundBy: read) == Offset(0)..<Offset(2))
  }

  @Test func aScrubThatFindsNothingEndsIt() throws {
    let disk = SimulatedDisk(folders: ["data"], pageByteCount: 512, isCacheWarm: true)
    try fixture(disk, 12).log.close(syncing: true)
    let log = try fixture(disk, 0).log
    let scrub = try #require(log.scrubWork(after: Offset(-1)))
    guard case .sound = scrub.work.run(disk, throttle: { _ in }, mustStop: { false }) else {
      Issue.record("the segment is not damaged")
      return
    }
    log.noteSound(scrub.work)
    #expect(try work(log, from: 0) == nil)
    #expect(try work(log, from: 12) != nil, "another segment")
  }

  /// Bytes that have left memory come back from the disk, maybe by somebody who does not check them.
  @Test func whatHasLeftMemoryOnceIsCheckedFromThenOn() throws {
    let log = try fixture(SimulatedDisk(folders: ["data"], pageByteCount: 512, isCacheWarm: false), 12).log
    #expect(log.segments.allSatisfy { $0.uncheckedByteCount == 0 })
    #expect(try work(log, from: 2) != nil)
    #expect(log.segments[0].uncheckedByteCount == log.segments[0].writtenByteCount)
    #expect(log.segments.dropFirst().allSatisfy { $0.uncheckedByteCount == 0 })
    let scrub = try #require(log.scrubWork(after: Offset(-1)))
    log.noteSound(scrub.work)
    #expect(log.segments[0].uncheckedByteCount == 0)
  }
}
