import Effects
import Glibc
import Primitives
import Records
import Testing

@testable import Storage

/// How fast a cleaning is: with OTTLA_MEASURE=1, in a release build, on files.
///
///     OTTLA_MEASURE=1 swift test -c release -Xswiftc -enable-testing --filter CleaningSpeedTests
@Suite(.enabled(if: getenv("OTTLA_MEASURE") != nil)) struct CleaningSpeedTests {
  private static let recordCount = 1_000_000

  /// Bytes of log a second of processor time, over records of 1 KiB that are not compressed; each is read twice.
  @Test(arguments: [100_000, 600_000], [false, true]) func cleans(keyCount: Int, isHalfClean: Bool) throws {
    let directory = "/tmp/ottla-cleaning-\(getpid())-\(keyCount)-\(isHalfClean)"
    let disk = PosixFileSystem()
    try disk.createDirectory(directory)
    defer { try? disk.removeDirectory(directory) }
    let fixture = try LogFixture(
      LogConfig(segmentBytes: 256 << 20, retentionMs: -1, isCompacted: true), fileSystem: disk,
      directory: directory + "/orders-0")
    try fill(fixture, keyCount)
    if isHalfClean { fixture.log.firstDirtyOffset = Offset(Int64(Self.recordCount / 2)) }
    let work = try #require(
      fixture.log.beginCleaning(
        now: fixture.now, upTo: Offset(.max), limits: CleaningLimits(mapByteCountMax: 128 << 20),
        random: SeededSource(1)))
    let start = (Self.now(CLOCK_THREAD_CPUTIME_ID), Self.now(CLOCK_MONOTONIC))
    let outcome = work.run(disk, throttle: { _ in }, mustStop: { false })
    let seconds = (Self.now(CLOCK_THREAD_CPUTIME_ID) - start.0, Self.now(CLOCK_MONOTONIC) - start.1)
    guard case .swapping(let sync) = try fixture.log.finishCleaning(work, outcome, now: fixture.now) else {
      Issue.record("\(outcome.ending)")
      return
    }
    let bytes = Double(work.sources.reduce(0) { $0 + $1.byteCount }) / 1e6
    let statistics = outcome.statistics
    print(
      "\(keyCount) keys, \(isHalfClean ? "half" : "all") dirty: \(Int(bytes)) MB of log,",
      "\(Int(bytes / seconds.0)) MB a second of processor, \(Int(bytes / seconds.1)) MB/s;",
      "read \(statistics.bytesRead / 1_000_000) MB, wrote \(statistics.bytesWritten / 1_000_000) MB,",
      "\(statistics.keyCount) keys in a map of \(statistics.mapByteCount / 1_000_000) MB")
    try fixture.swap(sync)
    #expect(bytes / seconds.0 >= 100)
    #expect(statistics.mapByteCount <= 128 << 20)
  }

  private func fill(_ fixture: LogFixture, _ keyCount: Int) throws {
    var random = SeededGenerator(UInt64(keyCount))
    let value = [UInt8](repeating: 7, count: 1000)
    for _ in 0..<(Self.recordCount / 50) {
      let records = (0..<50).map { _ in
        KeyedRecord(
          Array("key-\(Int.random(in: 0..<keyCount, using: &random))".utf8), value,
          timestamp: fixture.now.milliseconds)
      }
      try fixture.append(makeBatch(records))
    }
    try fixture.log.roll(now: fixture.now)
  }

  private static func now(_ clock: clockid_t) -> Double {
    var time = timespec()
    clock_gettime(clock, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}
