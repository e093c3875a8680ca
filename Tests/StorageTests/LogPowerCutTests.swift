import Effects
import Primitives
import Simulation
import Testing

@testable import Storage

/// What a log is after the power went, scene by scene.
@Suite struct LogPowerCutTests {
  private static let base = LogFixture.directory + "/"

  private func made(
    segmentBytes: Int = 500, isCacheWarm: Bool = true
  ) throws -> SimulatedLog {
    let log = SimulatedLog(
      LogConfig(segmentBytes: segmentBytes, indexIntervalBytes: 100),
      disk: SimulatedDisk(folders: ["data"], pageByteCount: 512, isCacheWarm: isCacheWarm))
    try log.open()
    return log
  }

  private func flushed(_ log: SimulatedLog, batches count: Int) throws {
    for _ in 0..<count { try log.append(records: 2) }
    try log.flush()
    try log.checkpointRecoveryPoint()
  }

  private func sync(_ name: String, of log: SimulatedLog) throws {
    try log.disk.open(Self.base + name, .readWrite).sync()
  }

  private func name(_ base: Int64, _ suffix: String) -> String { LogFileName.name(Offset(base), suffix) }

  @Test func aNewFolderIsThereOnceItWasFlushed() throws {
    let log = try made()
    try log.append()
    try log.writePending()
    #expect(!log.disk.afterPowerCut(data: .kept, names: .lost).exists(LogFixture.directory))
    try log.flush()
    log.cutPower(data: .lost, names: .lost)
    try log.openAndCheck()
    #expect(try log.opened.logEndOffset == Offset(1))
  }

  /// A process that was killed before it synced the folder: the next one does.
  @Test func aFolderThatAKilledProcessMadeIsSyncedByTheNext() throws {
    let log = try made()
    log.kill()
    try log.openAndCheck()
    try log.append()
    try log.flush()
    log.cutPower(data: .lost, names: .lost)
    try log.openAndCheck()
    #expect(try log.opened.logEndOffset == Offset(1))
  }

  /// The tail of one segment is lost, the next one is whole: the log ends before the hole, and what lay behind is kept.
  @Test func aHoleBehindTheRecoveryPointEndsTheLog() throws {
    let log = try made()
    try flushed(log, batches: 1)
    for _ in 0..<10 { try log.append(records: 2) }
    try log.writePending()
    let second = try log.opened.segments[1].baseOffset.value
    #expect(try log.opened.segmentCount > 2)
    try sync(name(second, ".log"), of: log)
    log.cutPower(data: .lost, names: .kept)
    try log.openAndCheck()
    #expect(try log.opened.logEndOffset == Offset(2))
    #expect(try log.opened.segmentCount == 1)
    #expect(log.disk.exists(Self.base + name(second, ".log.damaged")))
    #expect(!log.events.events.contains { if case .missingOffsets = $0 { true } else { false } })
    try flushed(log, batches: 12)
    log.cutPower(data: .lost, names: .lost)
    try log.openAndCheck()
    #expect(try log.opened.logEndOffset == Offset(26))
  }

  /// The same in a log of which nothing was flushed, or nothing noted: the checkpoint that does not name it says that. It may
  /// lie in a segment that is the only one, too.
  @Test(arguments: [false, true], [500, 100_000]) func aHoleInAYoungLogEndsIt(isFlushed: Bool, segmentBytes: Int) throws
  {
    let log = try made(segmentBytes: segmentBytes)
    try log.append(records: 2)
    if isFlushed { try log.flush() }
    let first = try log.opened.writtenEndOffset.value
    for _ in 0..<20 { try log.append(records: 2) }
    try log.writePending()
    if segmentBytes == 500 {
      try sync(name(try log.opened.segments[1].baseOffset.value, ".log"), of: log)
      log.cutPower(data: .lost, names: .kept)
    } else {
      log.disk.flipBit(0, ofByte: 700, in: Self.base + name(0, ".log"))
      log.kill()
    }
    try log.openAndCheck()
    #expect(try log.opened.logEndOffset.value >= (isFlushed ? first : 0))
    #expect(try log.opened.logEndOffset.value < 40)
    #expect(try log.opened.segmentCount == 1 && log.opened.recovered.damagedBatches == 0)
    #expect(!log.events.events.contains { if case .missingOffsets = $0 { true } else { false } })
    try flushed(log, batches: 12)
    log.cutPower(data: .lost, names: .lost)
    try log.openAndCheck()
  }

  /// The same below the recovery point is damage: it is reported, and nothing behind it goes.
  @Test func aHoleBelowTheRecoveryPointIsReported() throws {
    let log = try made()
    try flushed(log, batches: 12)
    let second = try log.opened.segments[1].baseOffset.value
    let end = try log.opened.logEndOffset
    log.kill()
    let file = try log.disk.open(Self.base + name(0, ".log"), .readWrite)
    try file.truncate(to: 0)
    try file.sync()
    try log.open()
    #expect(try log.opened.logEndOffset == end)
    #expect(
      log.events.events.contains {
        if case .missingOffsets(_, _, .zero, Offset(second)) = $0 { true } else { false }
      })
  }

  /// Nothing of what was cut comes back, neither as segments nor behind what is appended next.
  @Test(arguments: 0..<40) func aCutIsOnTheDisk(seed: UInt64) throws {
    let log = try made()
    try flushed(log, batches: 12)
    try log.truncate(to: 5)
    let end = log.history.end
    let later = log.copy(on: log.disk.afterPowerCut(data: .lost, names: .lost))
    try later.openAndCheck()
    #expect(try later.opened.logEndOffset.value == end)
    for _ in 0..<6 { try log.append(records: 2, epoch: 1) }
    try log.writePending()
    log.cutPower(data: .mixed, names: .mixed, seed: seed)
    try log.openAndCheck()
  }

  /// After a failed sync memory has what the disk has not. A process that starts then sees the disk.
  @Test func whatAFailedSyncDroppedIsNotServedByTheNextProcess() throws {
    let log = try made(segmentBytes: 4000)
    try flushed(log, batches: 1)
    for _ in 0..<8 { try log.append(records: 2, valueByteCount: 100) }
    log.disk.fail(call: 1, effect: .dropsDirtyPages, calls: [.sync], pathPart: ".log")
    #expect(throws: LogError.self) { try log.flush() }
    log.disk.heal()
    log.kill()
    try log.openAndCheck()
    let end = try log.opened.logEndOffset
    #expect(end == Offset(2))
    try log.flush()
    log.cutPower(data: .lost, names: .lost)
    try log.openAndCheck()
    #expect(try log.opened.logEndOffset == end)
  }

  /// What was taken back on a full disk does not come back behind what was appended instead of it.
  @Test(arguments: 0..<60) func whatFoundNoRoomStaysAway(seed: UInt64) throws {
    let log = try made(segmentBytes: 20_000)
    // Batches are whole pages, so that each of them may be old or new.
    let filling = 1024 - log.batch(1, valueByteCount: 900).count + 900
    try log.append(valueByteCount: filling)
    try log.flush()
    try log.checkpointRecoveryPoint()
    log.disk.writeBackEagerly(seed: seed)
    log.disk.capacity = log.disk.usedBytes + 3 * 1024
    for _ in 0..<5 { try log.append(valueByteCount: filling) }
    #expect(throws: LogError.self) { try log.writePending() }
    #expect(try log.opened.stalled != nil && log.opened.logEndOffset == Offset(1))
    log.disk.capacity = nil
    try log.opened.resume()
    for _ in 0..<4 { try log.append(valueByteCount: filling) }
    try log.writePending()
    log.cutPower(data: .mixed, names: .mixed, seed: seed)
    try log.openAndCheck()
  }

  @Test func whatRotsIsReportedWithItsOffsetsAndNotServed() throws {
    let log = try made(isCacheWarm: false)
    try flushed(log, batches: 12)
    let open = try log.opened
    log.disk.flipBit(2, ofByte: 100, in: Self.base + name(0, ".log"))
    let slice = try open.read(from: .zero, maxBytes: 1 << 20, upTo: open.logEndOffset, minOneBatch: true)
    let read = try #require(try open.coldRead(of: slice, bytesMax: 1 << 20))
    let damage = try #require(try read.run())
    #expect(try open.noteDamage(damage, foundBy: read) == Offset(0)..<Offset(2))
    #expect(throws: LogError.self) { try open.read(from: .zero, maxBytes: 100, upTo: Offset(.max), minOneBatch: true) }
    #expect(try open.read(from: Offset(2), maxBytes: 1, upTo: Offset(.max), minOneBatch: true).baseOffset == Offset(2))
    #expect(
      log.events.events.contains {
        if case .damagedBatch(_, _, _, let offsets, _) = $0 { offsets == Offset(0)..<Offset(2) } else { false }
      })
  }

  /// Every index of a segment that ends at the recovery point may be of before its last batches.
  @Test func anIndexThatWasWrittenAfterTheFlushIsNotBelieved() throws {
    let log = try made()
    for number: Int64 in 0..<4 {
      try log.append(log.batch(1, timestamp: 1_700_000_000_000 + number * 1000), recordCount: 1)
    }
    try log.flush()
    try log.checkpointRecoveryPoint()
    try log.append(valueByteCount: 300)
    try log.writePending()
    #expect(try log.opened.segments[1].baseOffset == Offset(4))
    log.cutPower(data: .lost, names: .kept)
    try log.openAndCheck()
    #expect(try log.opened.segments[0].maxTimestamp == Timestamp(milliseconds: 1_700_000_003_000))
  }

  /// A note of times that is not whole is none: segments would go before they are due.
  @Test func timesThatWereTornAreIgnored() throws {
    let log = try made()
    try flushed(log, batches: 12)
    try log.close()
    let path = Self.base + "append-time-checkpoint"
    log.now = Timestamp(milliseconds: log.now.milliseconds + 5000)
    try log.openAndCheck(clean: true)
    #expect(try log.opened.segments[0].lastAppendTime < log.now)
    log.kill()
    log.disk.flipBit(0, ofByte: try #require(log.disk.contents(path)).count / 2, in: path)
    try log.openAndCheck(clean: true)
    #expect(try log.opened.segments[0].lastAppendTime == log.now)
  }
}
