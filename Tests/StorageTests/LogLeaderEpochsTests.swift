import Primitives
import Testing

@testable import Storage

@Suite struct LogLeaderEpochsTests {
  /// A kill leaves a term that no checkpoint knows; the next run's sync of the whole file system moves the recovery point past
  /// it, and is killed too. The term must be known all the same: a leader without it makes its followers cut what is safe.
  @Test func aTermIsKnownThoughTheLogWasNeverFlushedByItself() throws {
    let fixture = try LogFixture()
    try fixture.append(makeBatch(1), epoch: 0)
    try fixture.log.flush()
    try fixture.append(makeBatch(1), epoch: 1)
    try fixture.log.writePending()
    try fixture.reopen(.unclean(recoveryPoint: fixture.log.recoveryPoint, isSynced: true))
    fixture.log.noteSyncedSinceOpen()
    #expect(fixture.log.recoveryPoint == Offset(2))
    try fixture.reopen(.unclean(recoveryPoint: fixture.log.recoveryPoint, isSynced: true))
    #expect(fixture.log.leaderEpochs.entries.map(\.epoch) == [LeaderEpoch(0), LeaderEpoch(1)])
    #expect(fixture.log.endOffset(for: LeaderEpoch(0)).endOffset == Offset(1))
  }
}
