import Effects
import Primitives
import Records
import Simulation
import Testing

@testable import Storage

@Suite struct LogRetentionTests {
  private let disk = SimulatedDisk()

  /// A log of one batch a segment, at times 1000, 2000, ... by record and by clock.
  private func fixture(_ config: LogConfig, segments: Int = 5, timestamp: (Int64) -> Int64 = { $0 }) throws
    -> LogFixture
  {
    var config = config
    config.segmentBytes = makeBatch(1).count
    let fixture = try LogFixture(config, fileSystem: disk)
    for number in 1...Int64(segments) {
      fixture.now = Timestamp(milliseconds: number * 1000)
      try fixture.append(makeBatch(1, timestamp: timestamp(number * 1000)))
    }
    try fixture.log.writePending()
    return fixture
  }

  @Test func oldSegmentsGo() throws {
    let fixture = try fixture(LogConfig(retentionMs: 2500, fileDeleteDelayMs: 100))
    let now = Timestamp(milliseconds: 5000)
    #expect(try fixture.log.applyRetention(now: now, highWatermark: Offset(5)) == 2)
    #expect(fixture.log.logStartOffset == Offset(2))
    #expect(throws: LogError.offsetOutOfRange(logStart: Offset(2), logEnd: Offset(5))) { try fixture.read(1) }
    #expect(splitBatches(try fixture.read(2)).first?.header.baseOffset == Offset(2))
    #expect(disk.names(in: LogFixture.directory).filter { $0.hasSuffix(".log.deleted") }.count == 2)
    #expect(fixture.log.removeDeleted(now: Timestamp(milliseconds: 5099)) == 0)
    #expect(fixture.log.removeDeleted(now: Timestamp(milliseconds: 5100)) == 2)
    #expect(!disk.names(in: LogFixture.directory).contains { $0.hasSuffix(".deleted") })
  }

  @Test func nothingAboveTheHighWatermarkGoes() throws {
    let fixture = try fixture(LogConfig(retentionMs: 1))
    #expect(try fixture.log.applyRetention(now: Timestamp(milliseconds: 1 << 40), highWatermark: Offset(3)) == 3)
    #expect(fixture.log.logStartOffset == Offset(3))
  }

  @Test func timestampsFromTheFutureKeepNothingAlive() throws {
    let fixture = try fixture(LogConfig(retentionMs: 2500)) { _ in 1 << 50 }
    #expect(try fixture.log.applyRetention(now: Timestamp(milliseconds: 5000), highWatermark: Offset(5)) == 2)
    // The clock at the appends is remembered over a restart.
    fixture.now = Timestamp(milliseconds: 5000)
    try fixture.reopen(.clean)
    #expect(try fixture.log.applyRetention(now: Timestamp(milliseconds: 6600), highWatermark: Offset(5)) == 2)
  }

  @Test func theActiveSegmentRollsAndGoesThoughNothingIsWritten() throws {
    let fixture = try LogFixture(LogConfig(segmentMs: 1000, retentionMs: 5000), fileSystem: disk)
    fixture.now = Timestamp(milliseconds: 100)
    try fixture.append(makeBatch(3, timestamp: 100))
    try fixture.log.writePending()
    let high = Offset(3)
    #expect(try fixture.log.applyRetention(now: Timestamp(milliseconds: 1100), highWatermark: high) == 0)
    #expect(fixture.log.segmentCount == 1)
    #expect(try fixture.log.applyRetention(now: Timestamp(milliseconds: 1101), highWatermark: high) == 0)
    #expect(fixture.log.segmentCount == 2)
    #expect(try fixture.log.applyRetention(now: Timestamp(milliseconds: 1 << 30), highWatermark: high) == 1)
    #expect(fixture.log.logStartOffset == high)
    #expect(fixture.log.sizeBytes == 0)
    #expect(try fixture.append(makeBatch(1)).baseOffset == high)
  }

  @Test func retentionBytesKeepsAtLeastThatMuch() throws {
    let size = Int64(makeBatch(1).count)
    let fixture = try fixture(LogConfig(retentionMs: -1, retentionBytes: size * 2 + 1))
    #expect(try fixture.log.applyRetention(now: Timestamp(milliseconds: 5000), highWatermark: Offset(5)) == 2)
    #expect(fixture.log.sizeBytes == size * 3)
    fixture.log.config.retentionBytes = 0
    #expect(try fixture.log.applyRetention(now: Timestamp(milliseconds: 5000), highWatermark: Offset(5)) == 3)
    #expect(fixture.log.sizeBytes == 0)
    #expect(fixture.log.logStartOffset == Offset(5))
  }

  @Test func aSliceOutlivesItsSegment() throws {
    let fixture = try fixture(LogConfig(retentionMs: 1))
    let slice = try fixture.log.read(from: .zero, maxBytes: 4096, upTo: Offset(5), minOneBatch: true)
    let before = try fixture.bytes(slice)
    try fixture.log.applyRetention(now: Timestamp(milliseconds: 1 << 40), highWatermark: Offset(5))
    fixture.log.removeDeleted(now: Timestamp(milliseconds: .max))
    #expect(try fixture.bytes(slice) == before)
    #expect(!before.isEmpty)
  }

  @Test func deleteRecordsMovesTheStart() throws {
    let fixture = try LogFixture(LogConfig(segmentBytes: 500), fileSystem: disk)
    for _ in 0..<10 { try fixture.append(makeBatch(3), epoch: 4) }
    try fixture.log.writePending()
    let before = fixture.log.segmentCount
    try fixture.log.deleteRecords(before: Offset(16), now: fixture.now)
    #expect(fixture.log.logStartOffset == Offset(16))
    #expect(fixture.log.segmentCount < before)
    #expect(splitBatches(try fixture.read(16)).first?.header.baseOffset == Offset(15))
    #expect(throws: LogError.self) { try fixture.read(15) }
    #expect(fixture.log.leaderEpochs.entries == [.init(epoch: LeaderEpoch(4), startOffset: Offset(16))])
    #expect(throws: LogError.self) { try fixture.log.deleteRecords(before: Offset(31), now: fixture.now) }
    // The start is not in the log's own files: its owner keeps it in a checkpoint.
    try fixture.reopen(.clean, logStartOffset: Offset(16))
    #expect(fixture.log.logStartOffset == Offset(16))
    try fixture.log.deleteRecords(before: Offset(30), now: fixture.now)
    #expect(try fixture.read(30).isEmpty)
  }

  @Test func offsetsAreNotGivenTwiceWhenTheLogWasLost() throws {
    let log = try Log.open(
      directory: "data/lost-0", topicPartition: TopicPartition("lost", 0), topicID: LogFixture.topicID,
      config: LogConfig(),
      environment: LogEnvironment(
        fileSystem: disk, handles: FileHandleCache(fileSystem: disk, openFilesMax: 10)),
      recovery: .unclean, now: .none, logStartOffset: Offset(77))
    #expect(log.logStartOffset == Offset(77))
    #expect(log.logEndOffset == Offset(77))
  }

  @Test(arguments: [Int64.max, .max - 1 << 32 + 1, .min, -1, 77]) func aStartThatCannotBeIsNotUsed(
    start: Int64
  ) throws {
    let fixture = try LogFixture(LogConfig(segmentBytes: 500), fileSystem: disk)
    for _ in 0..<10 { try fixture.append(makeBatch(3)) }
    try fixture.log.close()
    let names = disk.names(in: LogFixture.directory)
    for recovery in [LogRecoveryMode.clean, .unclean] where recovery == .clean || start != 77 {
      let opened = try LogFixture(
        LogConfig(segmentBytes: 500), fileSystem: disk, recovery: recovery, logStartOffset: Offset(start))
      #expect(opened.log.logStartOffset == .zero)
      #expect(opened.log.logEndOffset == Offset(30))
      #expect(
        opened.events.events == [
          .ignoredDamagedFile(
            opened.log.topicPartition, path: "data/log-start-offset-checkpoint",
            reason: "a log start of \(start), the log ends at 30")
        ])
      // Where nothing is known of what was flushed, no snapshot of producers is believed.
      #expect(disk.names(in: LogFixture.directory) == names.filter { recovery == .clean || !$0.hasSuffix(".snapshot") })
    }
  }

  @Test func aLogThatEndsBeforeItsStartIsSetAside() throws {
    let config = LogConfig(segmentBytes: 500)
    let fixture = try LogFixture(config, fileSystem: disk)
    for _ in 0..<10 { try fixture.append(makeBatch(3)) }
    try fixture.log.writePending()
    let logs = disk.names(in: LogFixture.directory).filter { $0.hasSuffix(".log") }
    let before = logs.map { disk.contents(LogFixture.directory + "/" + $0) }
    let opened = try LogFixture(config, fileSystem: disk, recovery: .unclean, logStartOffset: Offset(77))
    #expect(opened.log.logStartOffset == Offset(77))
    #expect(opened.log.logEndOffset == Offset(77))
    #expect(try opened.append(makeBatch(1)).baseOffset == Offset(77))
    try opened.reopen(.unclean)
    #expect(logs.map { disk.contents(LogFixture.directory + "/" + $0 + ".damaged") } == before)
    #expect(disk.names(in: LogFixture.directory).filter { $0.hasSuffix(".log") }.count == 1)
  }

  @Test func aDeletedFolderHasANameThatSaysSo() throws {
    let fixture = try fixture(LogConfig())
    try fixture.log.close()
    let renamed = try Log.markDeleted(LogFixture.directory, id: LogFixture.topicID, fileSystem: disk)
    #expect(LogFileName.isDeletedFolder(renamed))
    try disk.removeDirectory(renamed)
    #expect(disk.names(in: "data").isEmpty)
  }
}
