import Effects
import Primitives
import Records
import Simulation
import Synchronization
import Testing

@testable import Storage

/// The part of a cleaning that runs away from the log.
@Suite struct CleaningRunTests {
  private static let limits = CleaningLimits(mapByteCountMax: 1 << 20)

  private func filled(
    segmentBytes: Int = 700, indexIntervalBytes: Int = 100, count: Int = 4
  ) throws -> (LogFixture, SimulatedDisk) {
    let disk = SimulatedDisk()
    let config = LogConfig(
      segmentBytes: segmentBytes, indexIntervalBytes: indexIntervalBytes, retentionMs: -1, isCompacted: true)
    let fixture = try LogFixture(config, fileSystem: disk)
    for number in 0..<count {
      try fixture.appendSegment([KeyedRecord("a", "\(number)"), KeyedRecord("k\(number)", "v")])
    }
    try fixture.log.flush()
    fixture.events.events.removeAll()
    return (fixture, disk)
  }

  private func work(_ fixture: LogFixture, _ limits: CleaningLimits = limits) throws -> CleaningWork {
    try #require(
      fixture.log.beginCleaning(
        now: fixture.now, upTo: fixture.log.writtenEndOffset, limits: limits, random: SeededSource(1)))
  }

  @Test func neighboursAreMergedAsFarAsTheyFit() throws {
    let (fixture, _) = try filled(segmentBytes: 700, count: 12)
    #expect(fixture.log.segmentCount == 13)
    let size = fixture.log.segments[0].byteCount
    let before = try fixture.shown()
    try fixture.clean()
    let perSegment = Int(700 / size)
    #expect(fixture.log.segmentCount == (12 + perSegment - 1) / perSegment + 1)
    #expect(fixture.log.segments.allSatisfy { $0.byteCount <= 700 })
    #expect(try fixture.shown() == before.filter { !$0.contains(" a=") || $0.contains("=11") })
    // Another round merges what has become small.
    try fixture.appendSegment([KeyedRecord("a", "new")])
    let count = fixture.log.segmentCount
    try fixture.clean()
    #expect(fixture.log.segmentCount < count)
  }

  @Test func indexesAndReachOfOffsetsLimitASegment() throws {
    func source(_ base: Int64, _ end: Int64, bytes: Int64 = 10, offsets: Int = 0, times: Int = 0) -> CleaningSource {
      CleaningSource(
        baseOffset: Offset(base), endOffset: Offset(end), path: "", byteCount: bytes, offsetIndexCount: offsets,
        timeIndexCount: times)
    }
    func groups(_ sources: [CleaningSource], upTo end: Int64 = .max) -> [Range<Int>] {
      CleaningWork(
        topicPartition: TopicPartition("t", 0), id: 1, directory: "", sources: sources, firstDirtyOffset: .zero,
        rules: CleaningRules(hasher: KeyHasher(1, 2), now: .none, deleteRetentionMs: 0, lastOffsets: [:]),
        limits: Self.limits, segmentBytes: 100, segmentIndexBytes: 48, indexIntervalBytes: 4096
      ).groups(upTo: Offset(end))
    }
    #expect(groups([source(0, 1), source(1, 2, bytes: 90), source(2, 3)]) == [0..<2, 2..<3])
    #expect(groups([source(0, 1, offsets: 3), source(1, 2, offsets: 3), source(2, 3, offsets: 1)]) == [0..<2, 2..<3])
    #expect(groups([source(0, 1, times: 2), source(1, 2, times: 2), source(2, 3, times: 1)]) == [0..<2, 2..<3])
    let far = Int64(Int32.max)
    #expect(groups([source(0, 1), source(1, far), source(far, far + 1)]) == [0..<2, 2..<3])
    #expect(groups([source(0, 1, bytes: 500), source(1, 2)]) == [0..<1, 1..<2])
    #expect(groups([source(0, 5), source(5, 9), source(9, 12)], upTo: 6) == [0..<2])
    #expect(groups([source(0, 5)], upTo: 0) == [])
  }

  @Test func aSegmentThatLosesNothingIsNotWritten() throws {
    let (fixture, disk) = try filled(segmentBytes: 190, count: 0)
    for number in 0..<3 { try fixture.appendSegment([KeyedRecord("x\(number)", "v"), KeyedRecord("y\(number)", "v")]) }
    try fixture.log.flush()
    let old = fixture.log.segments.map { $0.log.path }
    guard case .unchanged? = try fixture.clean() else {
      Issue.record("a log of which nothing goes was written again")
      return
    }
    #expect(fixture.log.firstDirtyOffset == Offset(6) && fixture.log.segments.map { $0.log.path } == old)
    #expect(disk.names(in: fixture.directory).allSatisfy { !$0.hasSuffix(".deleted") })
    try fixture.appendSegment([KeyedRecord("x1", "new"), KeyedRecord("z", "v")])
    let segments = fixture.log.segments
    let work = try work(fixture)
    let outcome = work.run(disk, throttle: { _ in }, mustStop: { false })
    #expect(outcome.segments.map(\.baseOffset) == [Offset(2)])
    guard case .swapping(let sync) = try fixture.log.finishCleaning(work, outcome, now: fixture.now) else { return }
    try fixture.swap(sync)
    #expect(zip(fixture.log.segments, segments).map { $0 === $1 } == [true, false, true, true, true])
    #expect(try fixture.shown() == ["0 x0=v", "1 y0=v", "3 y1=v", "4 x2=v", "5 y2=v", "6 x1=new", "7 z=v"])
  }

  @Test(arguments: -1...1) func indexesAreThoseThatAppendsWouldHaveMade(difference: Int) throws {
    // An entry is due behind more bytes than this: right at it, one before and one behind.
    let interval = 2 * makeBatch([KeyedRecord("k1", "v")]).count + difference
    let (fixture, disk) = try filled(segmentBytes: 3000, indexIntervalBytes: interval, count: 10)
    try fixture.clean()
    let files = fixture.log.segments.dropLast().flatMap { $0.slots.dropFirst().map(\.path) }
    let written = files.map { disk.contents($0) }
    for segment in fixture.log.segments.dropLast() {
      try segment.rebuildIndexes(indexIntervalBytes: interval, fixture.log.environment)
    }
    #expect(files.map { disk.contents($0) } == written)
    #expect((written.first??.count ?? 0) >= 16)
  }

  /// Else who asks for the largest time would have the whole log searched for a record that is gone.
  @Test func timesOfRecordsThatAreGoneCountNoMore() throws {
    let (fixture, _) = try filled(segmentBytes: 250, count: 0)
    try fixture.append(makeBatch([KeyedRecord("a", "1", timestamp: 10)]))
    try fixture.append(makeBatch([KeyedRecord("b", "1", timestamp: 5000)], producerID: 1, baseSequence: 0))
    try fixture.appendSegment([KeyedRecord("c", "1", timestamp: 7)])
    try fixture.appendSegment([KeyedRecord("b", "2", timestamp: 20)])
    try fixture.clean()
    #expect(try fixture.batches().map(\.header.recordCount) == [1, 0, 1, 1])
    for mode in [LogRecoveryMode.clean, .unclean] {
      #expect(fixture.log.segments.map(\.maxTimestamp.milliseconds) == [10, 20, -1])
      #expect(try fixture.log.offsetOfMaxTimestamp(upTo: Offset(.max))?.offset == Offset(3))
      try fixture.reopen(mode)
    }
    let first = fixture.log.segments[0]
    try first.rebuildIndexes(indexIntervalBytes: 100, fixture.log.environment)
    #expect(first.maxTimestamp.milliseconds == 10)
    try fixture.log.truncate(to: Offset(2), now: fixture.now)
    #expect(fixture.log.active === first && first.maxTimestamp.milliseconds == 10)
  }

  /// CRC first: nothing is decided by a damaged batch, and nothing rewritten (S4, S6).
  @Test(arguments: 0..<8) func aDamagedBatchStopsTheCleaning(segment: Int) throws {
    let (fixture, disk) = try filled(segmentBytes: 190, count: 8)
    let path = fixture.log.segments[segment].log.path
    var bytes = try #require(disk.contents(path))
    bytes[bytes.count - 2] ^= 0x40
    disk.setContents(path, bytes)
    let before = disk.names(in: fixture.directory)
    let work = try work(fixture)
    let outcome = work.run(disk, throttle: { _ in }, mustStop: { false })
    guard case .damaged = try fixture.log.finishCleaning(work, outcome, now: fixture.now) else {
      Issue.record("\(outcome.ending)")
      return
    }
    #expect(disk.names(in: fixture.directory) == before)
    let damaged = Offset(Int64(segment) * 2 + 1)
    let reports = fixture.events.events.filter {
      if case .damagedBatch(_, path, _, damaged..<damaged.advanced(by: 1), _) = $0 { true } else { false }
    }
    #expect(reports.count == 1 && fixture.events.events.count == 1)
    #expect(fixture.log.cleaningCandidate(now: fixture.now, upTo: Offset(.max)) == nil)
    #expect(throws: LogError.self) { try fixture.read(damaged.value) }
    #expect(try !fixture.read(damaged.value - 1).isEmpty)
  }

  @Test func aFileThatEndsEarlyIsDamage() throws {
    let (fixture, disk) = try filled()
    let path = fixture.log.segments[1].log.path
    disk.setContents(path, Array(try #require(disk.contents(path)).dropLast(3)))
    let outcome = try work(fixture).run(disk, throttle: { _ in }, mustStop: { false })
    guard case .damaged = outcome.ending else {
      Issue.record("\(outcome.ending)")
      return
    }
  }

  @Test func aFullMapCleansAFirstPart() throws {
    let (fixture, _) = try filled(count: 8)
    // Three keys: those of the first one and a half segments.
    try fixture.clean(CleaningLimits(mapByteCountMax: 24 * 7, mapLoadFactor: 0.5))
    #expect(fixture.log.firstDirtyOffset == Offset(5))
    #expect(try fixture.shown().prefix(4) == ["1 k0=v", "3 k1=v", "4 a=2", "5 k2=v"])
    #expect(try fixture.shown().count == 14)
    guard case .gaveUp? = try fixture.clean(CleaningLimits(mapByteCountMax: 0)) else {
      Issue.record("it went on without memory")
      return
    }
    try fixture.clean()
    #expect(try fixture.shown().filter { $0.contains(" a=") } == ["14 a=7"])
  }

  @Test func itStopsWhereverItIsToldTo() throws {
    let (fixture, disk) = try filled(count: 6)
    let before = disk.names(in: fixture.directory)
    var count = 0
    while true {
      let work = try work(fixture)
      let asked = Atomic<Int>(0)
      let outcome = work.run(disk, throttle: { _ in }, mustStop: { asked.add(1, ordering: .relaxed).newValue > count })
      guard case .stopped = outcome.ending else { break }
      #expect(disk.names(in: fixture.directory) == before)
      guard case .stopped = try fixture.log.finishCleaning(work, outcome, now: fixture.now) else {
        Issue.record("it was not stopped")
        return
      }
      count += 1
    }
    #expect(count > 10)
  }

  @Test func everyByteReadOrWrittenIsToldToTheThrottle() throws {
    let (fixture, disk) = try filled()
    let bytes = Atomic<Int>(0)
    let outcome = try work(fixture).run(
      disk, throttle: { bytes.add($0, ordering: .relaxed) }, mustStop: { false })
    let indexes = outcome.segments.reduce(0) { $0 + $1.offsetIndexCount * 8 + $1.timeIndexCount * 12 }
    let statistics = outcome.statistics
    #expect(bytes.load(ordering: .relaxed) == Int(statistics.bytesRead + statistics.bytesWritten) + indexes)
    #expect(statistics.keyCount == 5 && statistics.mapByteCount <= 1 << 20 && !statistics.isMapFull)
  }

  @Test func aWriteThatFailsLeavesNothing() throws {
    let (fixture, disk) = try filled()
    let before = disk.names(in: fixture.directory)
    for suffix in [".log.cleaned", ".index.cleaned", ".timeindex.cleaned"] {
      for isSync in [false, true] {
        let work = try work(fixture)
        disk.fail(
          call: 1, effect: .first(5), isLasting: true, calls: [isSync ? .sync : .write], pathPart: suffix)
        let outcome = work.run(disk, throttle: { _ in }, mustStop: { false })
        disk.heal()
        guard case .failed = try fixture.log.finishCleaning(work, outcome, now: fixture.now) else {
          // An index without entries is not written to.
          #expect(suffix == ".index.cleaned" && !isSync)
          return
        }
        #expect(!fixture.log.isFenced)
        #expect(disk.names(in: fixture.directory) == before)
      }
    }
  }
}
