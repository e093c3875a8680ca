import Effects
import Primitives
import Simulation
import Testing

@testable import Storage

/// What a start makes of the files that an unfinished cleaning left, Kafka's among them.
@Suite struct CleaningRecoveryTests {
  /// A closed log of three segments, and cleaned ones of the first two under the names that `suffix` ends.
  private func leftovers(_ suffixes: [String]) throws -> (LogFixture, SimulatedDisk) {
    let disk = SimulatedDisk()
    let config = LogConfig(segmentBytes: 190, indexIntervalBytes: 100, retentionMs: -1, isCompacted: true)
    let fixture = try LogFixture(config, fileSystem: disk)
    for number in 0..<3 { try fixture.appendSegment([KeyedRecord("a", "\(number)"), KeyedRecord("k\(number)", "v")]) }
    try fixture.log.flush()
    let work = try #require(
      fixture.log.beginCleaning(
        now: fixture.now, upTo: Offset(6), limits: CleaningLimits(mapByteCountMax: 4096), random: SeededSource(1)))
    let outcome = work.run(disk, throttle: { _ in }, mustStop: { false })
    #expect(outcome.segments.map(\.baseOffset.value) == [0, 2])
    try fixture.log.close()
    for (segment, suffix) in zip(outcome.segments, suffixes) {
      for kind in LogFileName.segmentSuffixes {
        let path = fixture.directory + "/" + LogFileName.name(segment.baseOffset, kind)
        try disk.rename(path + ".cleaned", to: path + suffix)
      }
    }
    return (fixture, disk)
  }

  private static let old = ["0 a=0", "1 k0=v", "2 a=1", "3 k1=v", "4 a=2", "5 k2=v"]

  private func check(_ fixture: LogFixture, _ disk: SimulatedDisk, _ expected: [String]) throws {
    for mode in [LogRecoveryMode.clean, .unclean] {
      try fixture.open(mode)
      #expect(try fixture.shown() == expected)
      #expect(disk.names(in: fixture.directory).allSatisfy { !$0.hasSuffix(".swap") && !$0.hasSuffix(".cleaned") })
    }
  }

  @Test func whatIsNotDecidedIsRemoved() throws {
    let (fixture, disk) = try leftovers([".cleaned", ".cleaned"])
    try check(fixture, disk, Self.old)
  }

  @Test func whatIsDecidedIsCompleted() throws {
    let (fixture, disk) = try leftovers([".swap", ".swap"])
    try check(fixture, disk, ["1 k0=v", "3 k1=v", "4 a=2", "5 k2=v"])
  }

  @Test func aFirstPartMayBeDecided() throws {
    let (fixture, disk) = try leftovers([".swap", ".cleaned"])
    try check(fixture, disk, ["1 k0=v"] + Self.old[2...])
  }

  @Test func nothingBehindAnUndecidedOneIsDecided() throws {
    let (fixture, disk) = try leftovers([".cleaned", ".swap"])
    try check(fixture, disk, Self.old)
  }

  @Test func aMergedSegmentTakesThePlacesOfAll() throws {
    let (fixture, disk) = try leftovers([".cleaned", ".cleaned"])
    try fixture.open(.clean)
    fixture.config.segmentBytes = 1000
    fixture.log.config.segmentBytes = 1000
    let work = try #require(
      fixture.log.beginCleaning(
        now: fixture.now, upTo: Offset(6), limits: CleaningLimits(mapByteCountMax: 4096), random: SeededSource(1)))
    let outcome = work.run(disk, throttle: { _ in }, mustStop: { false })
    #expect(outcome.segments.count == 1)
    _ = try fixture.log.finishCleaning(work, outcome, now: fixture.now)
    fixture.log.releaseFiles()
    try fixture.open(.unclean)
    #expect(fixture.log.segmentCount == 2)
    #expect(fixture.events.events.contains(.completedSwap(fixture.log.topicPartition, segmentCount: 1)))
    try check(fixture, disk, ["1 k0=v", "3 k1=v", "4 a=2", "5 k2=v"])
  }

  @Test func anUnreadableReplacementIsDamageLikeAnyOther() throws {
    let (fixture, disk) = try leftovers([".swap", ".swap"])
    let path = fixture.directory + "/" + LogFileName.name(.zero, ".log.swap")
    var bytes = try #require(disk.contents(path))
    bytes[70] ^= 1
    disk.setContents(path, bytes)
    try fixture.open(.unclean)
    #expect(fixture.log.recovered.damagedBatches == 1)
    #expect(throws: LogError.self) { try fixture.read(0) }
    #expect(try !fixture.read(2).isEmpty)
  }
}
