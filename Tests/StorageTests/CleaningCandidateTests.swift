import Configuration
import Effects
import Primitives
import Testing

@testable import Storage

/// Which logs are to be cleaned, and how far.
@Suite struct CleaningCandidateTests {
  private func filled(_ change: (inout LogConfig) -> Void = { _ in }) throws -> LogFixture {
    let fixture = try LogFixture.compacted(change)
    for number in 0..<4 { try fixture.appendSegment([KeyedRecord("a", "\(number)"), KeyedRecord("k\(number)", "v")]) }
    try fixture.log.writePending()
    return fixture
  }

  private func candidate(_ fixture: LogFixture, upTo limit: Int64 = .max) -> CleaningCandidate? {
    fixture.log.cleaningCandidate(now: fixture.now, upTo: Offset(limit))
  }

  @Test func onlyLogsThatAreCompactedAreCleaned() throws {
    #expect(candidate(try filled { $0.isCompacted = false }) == nil)
    let fixture = try filled()
    #expect(candidate(fixture)?.dirtyRatio == 1)
    fixture.log.fence()
    #expect(candidate(fixture) == nil)
  }

  @Test func theRatioIsThatOfWhatNoCleaningHasSeen() throws {
    let fixture = try filled { $0.minCleanableDirtyRatio = 0.45 }
    try fixture.clean()
    #expect(candidate(fixture) == nil)
    let clean = fixture.log.sizeBytes
    try fixture.appendSegment([KeyedRecord("a", String(repeating: "x", count: Int(clean) / 2))])
    let small = try #require(candidate(fixture))
    #expect(small.dirtyBytes == fixture.log.sizeBytes - clean)
    #expect(small.dirtyRatio == Double(small.dirtyBytes) / Double(fixture.log.sizeBytes))
    #expect(!small.isDue && !small.isOverdue)
    try fixture.appendSegment([KeyedRecord("b", String(repeating: "x", count: Int(clean) / 2))])
    #expect(try #require(candidate(fixture)).isDue)
  }

  @Test func nothingIsTouchedAtTheLimitOrInTheActiveSegment() throws {
    let fixture = try filled()
    try fixture.append(makeBatch([KeyedRecord("a", "last")]))
    try fixture.log.writePending()
    #expect(candidate(fixture, upTo: 1) == nil)
    #expect(candidate(fixture, upTo: 3)?.dirtyBytes == fixture.log.segments[0].byteCount)
    #expect(candidate(fixture)?.dirtyBytes == fixture.log.sizeBytes - fixture.log.active.byteCount)
    try fixture.clean(upTo: Offset(5))
    #expect(try fixture.shown() == ["1 k0=v", "2 a=1", "3 k1=v", "4 a=2", "5 k2=v", "6 a=3", "7 k3=v", "8 a=last"])
    #expect(fixture.log.firstDirtyOffset == Offset(4))
  }

  @Test func nothingYoungIsTouched() throws {
    let fixture = try LogFixture.compacted { $0.minCompactionLagMs = 1000 }
    let start = fixture.now.milliseconds
    for number in 0..<3 as Range<Int64> {
      fixture.now = Timestamp(milliseconds: start + number * 400)
      // The second one says that it is of the future: the broker's clock counts.
      let time = number == 1 ? start + 1_000_000 : fixture.now.milliseconds
      try fixture.appendSegment([KeyedRecord("a", "\(number)", timestamp: time)])
    }
    fixture.now = Timestamp(milliseconds: start + 999)
    #expect(candidate(fixture) == nil)
    fixture.now = Timestamp(milliseconds: start + 1400)
    #expect(candidate(fixture)?.dirtyBytes == fixture.log.segments[0].byteCount + fixture.log.segments[1].byteCount)
    try fixture.clean()
    #expect(fixture.log.firstDirtyOffset == Offset(2))
    #expect(try fixture.shown() == ["1 a=1", "2 a=2"])
    fixture.now = Timestamp(milliseconds: start - 5000)
    #expect(candidate(fixture) == nil)
  }

  @Test func whatIsOldIsDueWhateverTheRatio() throws {
    let fixture = try filled {
      $0.maxCompactionLagMs = 1000
      $0.minCleanableDirtyRatio = 1
    }
    fixture.now = Timestamp(milliseconds: fixture.now.milliseconds + 1000)
    #expect(candidate(fixture)?.isDue == false)
    fixture.now = Timestamp(milliseconds: fixture.now.milliseconds + 1)
    #expect(candidate(fixture)?.isOverdue == true && candidate(fixture)?.isDue == true)
  }

  @Test func oneCleaningAtATime() throws {
    let fixture = try filled()
    let limits = CleaningLimits(mapByteCountMax: 1 << 16)
    let random = SeededSource(1)
    let work = fixture.log.beginCleaning(now: fixture.now, upTo: Offset(.max), limits: limits, random: random)
    #expect(work != nil && candidate(fixture) == nil)
    #expect(fixture.log.beginCleaning(now: fixture.now, upTo: Offset(.max), limits: limits, random: random) == nil)
  }

  @Test func aCleanedLogOfACheckpointIsNotDirty() throws {
    let fixture = try filled()
    try fixture.clean()
    try fixture.log.close()
    try fixture.open(.clean, firstDirtyOffset: Offset(8))
    #expect(candidate(fixture) == nil)
    // What no log can have is not believed.
    for wrong in [-1, 9] {
      try fixture.open(.clean, firstDirtyOffset: Offset(Int64(wrong)))
      #expect(fixture.log.firstDirtyOffset == .zero)
      #expect(candidate(fixture) != nil)
    }
  }

  @Test func aBrokersMemoryIsSharedOutAmongItsThreads() {
    let limits = CleaningLimits(BrokerConfig())
    #expect(limits == CleaningLimits(mapByteCountMax: 128 << 20, mapLoadFactor: 0.9))
  }

  @Test func aTopicsConfigurationReachesItsLog() {
    let broker = BrokerConfig()
    let config = LogConfig(
      broker.topicConfig(overrides: [
        "cleanup.policy": "compact", "min.compaction.lag.ms": "5", "max.compaction.lag.ms": "77",
        "delete.retention.ms": "9", "min.cleanable.dirty.ratio": "0.25",
      ]))
    #expect(config.isCompacted && config.minCompactionLagMs == 5 && config.maxCompactionLagMs == 77)
    #expect(config.deleteRetentionMs == 9 && config.minCleanableDirtyRatio == 0.25)
    // A segment must not stay active for longer than it may stay uncleaned.
    #expect(config.segmentMs == 77 && config.retentionMs == -1)
    #expect(LogConfig(broker.topicConfig(overrides: ["cleanup.policy": "compact,delete"])).retentionMs > 0)
    #expect(!LogConfig(broker.topicConfig(overrides: [:])).isCompacted)
  }
}
