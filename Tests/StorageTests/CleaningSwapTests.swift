import Effects
import Primitives
import Records
import Testing

@testable import Storage

/// New segments in the places of old ones, and what else happens to the log meanwhile.
@Suite struct CleaningSwapTests {
  private static let limits = CleaningLimits(mapByteCountMax: 1 << 16)

  /// Four segments of which the next makes one record of each needless.
  private func filled(_ change: (inout LogConfig) -> Void = { _ in }) throws -> LogFixture {
    let fixture = try LogFixture.compacted {
      $0.segmentBytes = 240
      change(&$0)
    }
    for number in 0..<4 {
      let value = String(repeating: "\(number)", count: 20)
      try fixture.appendSegment([KeyedRecord("a", value), KeyedRecord("k\(number)", value)])
    }
    try fixture.log.flush()
    return fixture
  }

  private func begin(_ fixture: LogFixture) throws -> (CleaningWork, CleaningOutcome) {
    let work = try #require(
      fixture.log.beginCleaning(
        now: fixture.now, upTo: fixture.log.writtenEndOffset, limits: Self.limits, random: SeededSource(1)))
    return (work, work.run(fixture.fileSystem, throttle: { _ in }, mustStop: { false }))
  }

  /// A cleaning that waits for the disk with its decision, or the log reads the new segments already.
  private func swapping(_ fixture: LogFixture, isReplacing: Bool) throws -> SwapSync {
    let (work, outcome) = try begin(fixture)
    guard case .swapping(let sync) = try fixture.log.finishCleaning(work, outcome, now: fixture.now) else {
      throw LogError.fenced
    }
    guard isReplacing else { return sync }
    return try #require(try fixture.log.finishSwap(sync, failure: nil, now: fixture.now))
  }

  private func names(_ fixture: LogFixture, _ suffix: String) throws -> [String] {
    try fixture.fileSystem.list(fixture.directory).filter { $0.hasSuffix(suffix) }
  }

  private static let cleaned = ["1 k0", "3 k1", "5 k2", "6 a", "7 k3"]

  private func keys(_ fixture: LogFixture) throws -> [String] {
    try fixture.shown().map { String($0.prefix { $0 != "=" }) }
  }

  /// Whoever asks what is left to do would try it for ever.
  @Test func aSwapThatFailedIsLeftToTheNextStart() throws {
    let fixture = try filled()
    let sync = try swapping(fixture, isReplacing: false)
    #expect(fixture.log.pendingSwap != nil)
    let failure = IOError(operation: "fsync", path: fixture.directory, errno: 28)
    #expect(throws: LogError.io(failure)) { try fixture.log.finishSwap(sync, failure: failure, now: fixture.now) }
    #expect(fixture.log.isFenced && fixture.log.pendingSwap == nil)
  }

  @Test func readersOfOldSegmentsReadOn() throws {
    let fixture = try filled()
    let old = try fixture.log.read(from: .zero, maxBytes: 1 << 20, upTo: Offset(.max), minOneBatch: true)
    let bytes = try fixture.bytes(old)
    try fixture.clean()
    #expect(try fixture.bytes(old) == bytes)
    #expect(try keys(fixture) == Self.cleaned)
    // The files wait as those of deleted segments do.
    #expect(try names(fixture, ".deleted").count == fixture.log.deletedSegmentCount * 3)
    fixture.log.removeDeleted(now: Timestamp(milliseconds: fixture.now.milliseconds + 999))
    #expect(fixture.log.deletedSegmentCount > 0)
    fixture.log.removeDeleted(now: Timestamp(milliseconds: fixture.now.milliseconds + 1000))
    #expect(try names(fixture, ".deleted") == [])
  }

  @Test(arguments: [false, true]) func theLogIsReadAtEachStep(isReplacing: Bool) throws {
    let fixture = try filled()
    let before = try keys(fixture)
    let sync = try swapping(fixture, isReplacing: isReplacing)
    #expect(try keys(fixture) == (isReplacing ? Self.cleaned : before))
    #expect(fixture.log.firstDirtyOffset == Offset(isReplacing ? 8 : 0))
    // Another cleaning has to wait.
    #expect(fixture.log.cleaningCandidate(now: fixture.now, upTo: Offset(.max)) == nil)
    try fixture.append(makeBatch([KeyedRecord("b", "during")]))
    try fixture.swap(sync)
    #expect(try keys(fixture) == Self.cleaned + ["8 b"])
    #expect(fixture.log.pendingSwap == nil)
    #expect(try names(fixture, ".swap") == [])
    #expect(try names(fixture, ".cleaned") == [])
    try fixture.reopen(.unclean)
    #expect(try keys(fixture) == Self.cleaned + ["8 b"])
  }

  @Test(arguments: [false, true]) func aCloseInBetweenIsCompletedAtTheNextOpening(isReplacing: Bool) throws {
    let fixture = try filled()
    _ = try swapping(fixture, isReplacing: isReplacing)
    try fixture.reopen(.clean)
    #expect(try keys(fixture) == Self.cleaned)
    #expect(try names(fixture, ".swap") == [])
    #expect(fixture.events.events.contains { if case .completedSwap = $0 { true } else { false } })
  }

  @Test(arguments: [false, true]) func whatIsDeletedMeanwhileGoesAtTheEnd(isReplacing: Bool) throws {
    let fixture = try filled { $0.retentionMs = 0 }
    let sync = try swapping(fixture, isReplacing: isReplacing)
    fixture.now = Timestamp(milliseconds: fixture.now.milliseconds + 100_000)
    #expect(try fixture.log.applyRetention(now: fixture.now, highWatermark: Offset(8)) == 0)
    let count = fixture.log.segmentCount
    try fixture.log.deleteRecords(before: Offset(6), now: fixture.now)
    #expect(fixture.log.logStartOffset == Offset(6) && fixture.log.segmentCount == count)
    try fixture.swap(sync)
    #expect(fixture.log.segments[0].baseOffset == Offset(6))
    #expect(try keys(fixture) == ["6 a", "7 k3"])
    // compact,delete: what was compacted ages as it did before.
    #expect(try fixture.log.applyRetention(now: fixture.now, highWatermark: Offset(8)) > 0)
    #expect(try keys(fixture) == [])
  }

  @Test(arguments: [false, true]) func aCutBelowCompletesTheSwapFirst(isReplacing: Bool) throws {
    let fixture = try filled()
    let sync = try swapping(fixture, isReplacing: isReplacing)
    try fixture.log.truncate(to: Offset(5), now: fixture.now)
    #expect(fixture.log.pendingSwap == nil)
    #expect(fixture.log.firstDirtyOffset == Offset(4))
    #expect(try keys(fixture) == ["1 k0", "3 k1"])
    #expect(try fixture.log.finishSwap(sync, failure: nil, now: fixture.now) == nil)
    try fixture.reopen(.unclean)
    #expect(try keys(fixture) == ["1 k0", "3 k1"])
  }

  @Test func aChangedLogHasNoUseForTheOutcome() throws {
    let changes: [(LogFixture) throws -> Void] = [
      { try $0.log.deleteRecords(before: Offset(2), now: $0.now) },
      { try $0.log.truncate(to: Offset(6), now: $0.now) },
      { $0.log.config.isCompacted = false },
      { try $0.log.close() },
    ]
    for change in changes {
      let fixture = try filled()
      let (work, outcome) = try begin(fixture)
      try change(fixture)
      guard case .discarded = try fixture.log.finishCleaning(work, outcome, now: fixture.now) else {
        Issue.record("it was not discarded")
        continue
      }
      work.discard(outcome, fixture.fileSystem)
      #expect(try names(fixture, ".cleaned") == [])
    }
  }

  @Test func appendsRollsAndCutsAboveDoNotMatter() throws {
    let fixture = try filled()
    let (work, outcome) = try begin(fixture)
    try fixture.appendSegment([KeyedRecord("a", "late")])
    try fixture.append(makeBatch([KeyedRecord("x", "cut")]))
    try fixture.log.truncate(to: Offset(9), now: fixture.now)
    guard case .swapping(let sync) = try fixture.log.finishCleaning(work, outcome, now: fixture.now) else {
      Issue.record("it was discarded")
      return
    }
    try fixture.log.truncate(to: Offset(8), now: fixture.now)
    #expect(fixture.log.pendingSwap != nil)
    try fixture.swap(sync)
    #expect(try keys(fixture) == Self.cleaned)
  }

  @Test func aSyncThatFailedFencesTheLog() throws {
    let fixture = try filled()
    let sync = try swapping(fixture, isReplacing: false)
    let out = IOError(operation: "open", path: "", errno: 24)
    #expect(throws: LogError.io(out)) { try fixture.log.finishSwap(sync, failure: out, now: fixture.now) }
    #expect(!fixture.log.isFenced && fixture.log.pendingSwap != nil)
    let failure = IOError(operation: "fsync", path: "", errno: 5)
    #expect(throws: LogError.io(failure)) { try fixture.log.finishSwap(sync, failure: failure, now: fixture.now) }
    #expect(fixture.log.isFenced)
    try fixture.open(.unclean)
    #expect(try keys(fixture) == Self.cleaned)
  }

  @Test func damageFoundInAnOldSegmentIsNotOneOfTheNew() throws {
    let fixture = try filled()
    let slice = try fixture.log.read(from: .zero, maxBytes: 1 << 20, upTo: Offset(.max), minOneBatch: true)
    let range = try #require(slice.range)
    let cold = ColdRead(
      range: range, baseOffset: .zero, segmentBaseOffset: .zero, cutCount: fixture.log.cutCount,
      swapCount: fixture.log.swapCount, segmentByteCount: .max)
    try fixture.clean()
    #expect(try fixture.log.noteDamage(ColdRead.Damage(position: 0, reason: "old"), foundBy: cold) == nil)
    #expect(fixture.log.segments.allSatisfy { $0.damages.isEmpty })
  }

  @Test func secondCleaningsKeepTheDeletedFilesOfFirstOnes() throws {
    let fixture = try filled()
    try fixture.clean()
    let first = fixture.log.deletedSegmentCount
    try fixture.appendSegment([KeyedRecord("k0", "new"), KeyedRecord("k1", "new")])
    try fixture.clean()
    #expect(fixture.log.deletedSegmentCount > first)
    #expect(try names(fixture, ".deleted").count == fixture.log.deletedSegmentCount * 3)
    let paths = fixture.log.takeDeleted(now: Timestamp(milliseconds: .max))
    #expect(Set(paths).count == paths.count)
    for path in paths { #expect(fixture.fileSystem.exists(path)) }
  }

  @Test func aMergedSegmentIsAsYoungAsItsYoungest() throws {
    let fixture = try LogFixture.compacted {
      $0.retentionMs = 1000
      $0.segmentBytes = 1000
    }
    let start = fixture.now.milliseconds
    for number in 0..<3 as Range<Int64> {
      fixture.now = Timestamp(milliseconds: start + number * 900)
      try fixture.appendSegment([KeyedRecord("k\(number)", "v", timestamp: start + 1_000_000)])
    }
    try fixture.log.close()
    // A crash after the cleaning: the note of the append times is of the segments before it.
    try fixture.open(.clean)
    try fixture.clean()
    #expect(fixture.log.segmentCount == 2)
    fixture.now = Timestamp(milliseconds: start + 2800)
    for _ in 0..<2 {
      #expect(fixture.log.segments[0].lastAppendTime.milliseconds == start + 1800)
      #expect(fixture.log.segments[0].firstAppendTime?.milliseconds == start)
      #expect(try fixture.log.applyRetention(now: fixture.now, highWatermark: Offset(3)) == 0)
      try fixture.open(.unclean(recoveryPoint: fixture.log.logEndOffset))
    }
    fixture.now = Timestamp(milliseconds: start + 2801)
    #expect(try fixture.log.applyRetention(now: fixture.now, highWatermark: Offset(3)) == 1)
  }
}
