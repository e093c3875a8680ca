import Cluster
import Primitives
import Storage
import Testing

@testable import Replication

@Suite struct PartitionFollowingTests {
  /// A follower of broker 2 in term 6.
  private func follower(_ overrides: [String: String] = ["durability": "replicated"]) throws -> ReplicaFixture {
    let fixture = try ReplicaFixture(overrides)
    _ = fixture.lead(2)
    return fixture
  }

  private func position(_ fixture: ReplicaFixture) -> FetchPosition? {
    if case .at(let position) = fixture.partition.fetchReadiness { return position }
    return nil
  }

  @Test func aFetchPromisesWhatIsThere() throws {
    let fixture = try follower()
    #expect(position(fixture)?.offset == .zero && position(fixture)?.lastFetchedEpoch == LeaderEpoch.none)
    let followed = try fixture.copy(from: 0, epochs: [4, 4, 5], highWatermark: 2)
    #expect(followed.hasAppended && followed.highWatermarkAdvanced && fixture.partition.highWatermark == Offset(2))
    #expect(position(fixture)?.offset == Offset(3) && position(fixture)?.lastFetchedEpoch == LeaderEpoch(5))
    _ = fixture.lead(1)
    #expect(fixture.partition.fetchReadiness == .notNow)
  }

  @Test func withFsyncOnlyWhatIsFlushedIsPromised() throws {
    let fixture = try follower(["durability": "fsync"])
    try fixture.copy(from: 0, epochs: [4, 4])
    #expect(fixture.partition.fetchReadiness == .afterFlush && fixture.partition.waitsForFlush)
    try fixture.partition.log.flush()
    #expect(position(fixture)?.offset == Offset(2) && !fixture.partition.waitsForFlush)
  }

  @Test func theHighWatermarkIsNeverBeyondTheOwnEnd() throws {
    let fixture = try follower()
    try fixture.copy(from: 0, epochs: [6], highWatermark: 100)
    #expect(fixture.partition.highWatermark == Offset(1))
    #expect(try fixture.copy(from: 1, epochs: [], highWatermark: 0).highWatermarkAdvanced == false)
    #expect(fixture.partition.highWatermark == Offset(1), "nor goes it back")
  }

  @Test func answersToOtherTermsAndPositionsAreDropped() throws {
    let fixture = try follower()
    try fixture.copy(from: 0, epochs: [6])
    #expect(try fixture.copy(from: 1, epochs: [6], highWatermark: 1, leaderEpoch: 5) == Partition.Followed())
    #expect(try fixture.copy(from: 2, epochs: [6], highWatermark: 1) == Partition.Followed())
    #expect(try fixture.copy(from: 0, epochs: [6], highWatermark: 1) == Partition.Followed())
    let cut = try fixture.partition.truncate(
      toAgreeWith: LeaderEpoch(3), endOffset: .zero, leaderEpoch: LeaderEpoch(5), now: fixture.wallClock)
    #expect(cut == nil)
    #expect(fixture.partition.log.logEndOffset == Offset(1) && fixture.partition.highWatermark == .zero)
  }

  @Test func aFollowerCutsToWhereTheHistoriesPart() throws {
    let fixture = try follower()
    try fixture.copy(from: 0, epochs: [2, 2, 4, 4, 5], highWatermark: 1)
    func cut(_ epoch: Int32, _ end: Int64) throws -> Partition.Truncation? {
      try fixture.partition.truncate(
        toAgreeWith: LeaderEpoch(epoch), endOffset: Offset(end), leaderEpoch: LeaderEpoch(6), now: fixture.wallClock)
    }
    #expect(try cut(4, 9)?.to == Offset(4), "term 4 ends at 4 here")
    #expect(try cut(4, 3)?.to == Offset(3), "and at 3 there")
    #expect(try cut(3, 9)?.to == Offset(2), "of term 3 nothing is here: term 2 ends at 2")
    #expect(position(fixture)?.lastFetchedEpoch == LeaderEpoch(2) && fixture.partition.highWatermark == Offset(1))
    let lost = try cut(1, 0)
    #expect(lost?.to == .zero && lost?.isBelowHighWatermark == true && fixture.partition.highWatermark == .zero)
  }

  @Test func aTermOfItsOwnWithoutARecordIsNotAskedFor() throws {
    let fixture = try follower()
    try fixture.copy(from: 0, epochs: [6])
    _ = fixture.lead(1)
    _ = fixture.lead(3)
    #expect(position(fixture)?.lastFetchedEpoch == LeaderEpoch(6))
    try fixture.copy(from: 1, epochs: [6, 8])
    #expect(fixture.partition.log.leaderEpochs.entries.map(\.epoch.value) == [6, 8])
  }

  @Test func aFollowerThatLagsBehindTheLogsStartBeginsThere() throws {
    let fixture = try follower()
    try fixture.copy(from: 0, epochs: [6, 6], highWatermark: 2)
    func restart(_ start: Int64) throws -> Partition.Truncation? {
      try fixture.partition.restart(at: Offset(start), leaderEpoch: LeaderEpoch(6), now: fixture.wallClock)
    }
    #expect(try restart(1) == nil, "what is here may be of use")
    #expect(try restart(10)?.to == Offset(10))
    #expect(position(fixture)?.offset == Offset(10) && fixture.partition.highWatermark == Offset(10))
    #expect(try restart(4)?.to == Offset(4), "an empty log may go anywhere")
  }

  @Test func theLogsStartFollowsTheLeaders() throws {
    let fixture = try follower()
    let followed = try fixture.copy(from: 0, epochs: [6, 6, 6], highWatermark: 2, logStart: 2)
    #expect(followed.logStartAdvanced && fixture.partition.log.logStartOffset == Offset(2))
    #expect(try fixture.copy(from: 3, epochs: [6], highWatermark: 2, logStart: 3).logStartAdvanced == false)
  }

  @Test func consumersReadBelowTheHighWatermarkOfAFollower() throws {
    let fixture = try follower()
    try fixture.copy(from: 0, epochs: [6, 6, 6], highWatermark: 2)
    let slice = try fixture.partition.read(from: .zero, maxBytes: 1000, minOneBatch: true)
    #expect(slice.nextOffset == Offset(2))
    #expect(!fixture.partition.advanceHighWatermark())
  }
}
