import Cluster
import Primitives
import Storage
import Testing

@testable import Replication

@Suite struct PartitionImageTests {
  @Test func theImageSaysWhatABrokerIs() throws {
    let fixture = try ReplicaFixture()
    #expect(fixture.partition.role == .idle)
    #expect(fixture.apply() == .leads(LeaderEpoch(5)))
    #expect(fixture.apply() == .none && fixture.partition.role == .leader)
    #expect(fixture.lead(1) == .leads(LeaderEpoch(6)))
    #expect(fixture.lead(2) == .follows(BrokerID(2), LeaderEpoch(7)))
    #expect(fixture.apply() == .none && fixture.partition.role == .follower(of: BrokerID(2)))
    #expect(fixture.lead(2) == .follows(BrokerID(2), LeaderEpoch(8)), "a new term of the same leader is a new term")
    #expect(fixture.lead(-1) == .pauses)
    #expect(fixture.apply() == .none)
    fixture.image.replicas = [BrokerID(2), BrokerID(3)]
    #expect(fixture.lead(2) == .isNoReplica && fixture.partition.role == .idle)
  }

  @Test func olderImagesChangeNothing() throws {
    let fixture = try ReplicaFixture()
    fixture.apply()
    let old = fixture.image
    _ = fixture.lead(2)
    fixture.image = old
    #expect(fixture.apply() == .none)
    #expect(fixture.partition.role == .follower(of: BrokerID(2)) && fixture.partition.leaderEpoch == LeaderEpoch(6))
  }

  @Test func onlyALeaderAppends() throws {
    let fixture = try ReplicaFixture()
    #expect(try fixture.append() == .notLeaderOrFollower)
    fixture.apply()
    #expect(try fixture.append() == .none)
    _ = fixture.lead(2)
    #expect(try fixture.append() == .notLeaderOrFollower)
    #expect(
      code { _ = try fixture.partition.appendOwn(ReplicaFixture.batch("a"), now: fixture.wallClock) }
        == .notLeaderOrFollower)
  }

  @Test func aNewTermKnowsNothingOfEarlierFetches() throws {
    let fixture = try ReplicaFixture()
    fixture.apply()
    try fixture.append(4)
    fixture.fetched(2, at: 4)
    fixture.fetched(3, at: 3)
    #expect(fixture.partition.advanceHighWatermark() && fixture.partition.highWatermark == Offset(3))
    _ = fixture.lead(1)
    fixture.fetched(3, at: 4)
    #expect(!fixture.partition.advanceHighWatermark(), "broker 2 has not fetched in this term")
    fixture.fetched(2, at: 4)
    #expect(fixture.partition.advanceHighWatermark() && fixture.partition.highWatermark == Offset(4))
  }
}
