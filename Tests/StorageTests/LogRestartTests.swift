import Primitives
import Records
import Simulation
import Testing

@testable import Storage

@Suite struct LogRestartTests {
  @Test(arguments: [0, 3, 1000] as [Int64])
  func aLogStartsAnewWhereItIsTold(offset: Int64) throws {
    let disk = SimulatedDisk(folders: ["data"])
    let fixture = try LogFixture(LogConfig(segmentBytes: 500, indexIntervalBytes: 100), fileSystem: disk)
    for number in 0..<20 {
      try fixture.append(
        makeBatch(2, producerID: 1, producerEpoch: 0, baseSequence: Int32(2 * number)), epoch: Int32(number / 5))
    }
    try fixture.log.flush()
    try fixture.log.restart(at: Offset(offset), now: fixture.now)
    #expect(fixture.log.logStartOffset == Offset(offset) && fixture.log.logEndOffset == Offset(offset))
    #expect(fixture.log.leaderEpochs.entries.isEmpty && fixture.log.latestEpoch == .none)
    #expect(fixture.log.producers.count == 0 && fixture.log.segmentCount == 1)
    // It is on the disk, and stays so.
    let after = try LogFixture(
      fixture.config, fileSystem: disk.afterPowerCut(data: .lost, names: .lost),
      recovery: .unclean(recoveryPoint: Offset(offset)))
    #expect(after.log.logStartOffset == Offset(offset) && after.log.logEndOffset == Offset(offset))
    #expect(after.log.producers.count == 0 && after.log.leaderEpochs.entries.isEmpty)
    try fixture.append(makeBatch(2), epoch: 9)
    #expect(fixture.log.logEndOffset == Offset(offset + 2))
  }

  @Test func afterACutNothingCountsAsFlushedBeforeTheCheckpointKnows() throws {
    let fixture = try LogFixture()
    for _ in 0..<4 { try fixture.append(makeBatch(2)) }
    try fixture.log.flush()
    #expect(fixture.log.recoveryPoint == Offset(8) && fixture.log.unnotedCut == nil)
    try fixture.log.truncate(to: Offset(4), now: fixture.now)
    let cut = try #require(fixture.log.unnotedCut)
    #expect(fixture.log.recoveryPoint == Offset(4))
    try fixture.append(makeBatch(2))
    try fixture.log.flush()
    #expect(fixture.log.recoveryPoint == Offset(4), "the checkpoint says 8")
    try fixture.log.truncate(to: Offset(2), now: fixture.now)
    fixture.log.noteCutWritten(cut)
    #expect(fixture.log.unnotedCut != nil && fixture.log.recoveryPoint == Offset(2), "there was another cut since")
    try fixture.append(makeBatch(2))
    try fixture.log.flush()
    fixture.log.noteCutWritten(try #require(fixture.log.unnotedCut))
    #expect(fixture.log.recoveryPoint == Offset(4) && fixture.log.unnotedCut == nil)
    try fixture.append(makeBatch(2))
    try fixture.log.flush()
    #expect(fixture.log.recoveryPoint == Offset(6))
  }

  @Test func aCutOfWhatWasNotFlushedNeedsNoNote() throws {
    let fixture = try LogFixture()
    try fixture.append(makeBatch(2))
    try fixture.log.flush()
    try fixture.append(makeBatch(2))
    try fixture.log.truncate(to: Offset(2), now: fixture.now)
    #expect(fixture.log.unnotedCut == nil)
    try fixture.append(makeBatch(3))
    try fixture.log.flush()
    #expect(fixture.log.recoveryPoint == Offset(5))
  }

  @Test func termsWithoutARecordAreForgotten() throws {
    let fixture = try LogFixture()
    try fixture.append(makeBatch(2), epoch: 3)
    fixture.log.beginLeaderEpoch(LeaderEpoch(7))
    #expect(fixture.log.latestEpoch == LeaderEpoch(3) && fixture.log.leaderEpochs.latest == LeaderEpoch(7))
    fixture.log.forgetEmptyLeaderEpochs()
    #expect(fixture.log.leaderEpochs.latest == LeaderEpoch(3))
  }
}
