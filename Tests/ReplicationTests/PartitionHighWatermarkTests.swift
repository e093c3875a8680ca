import Cluster
import Primitives
import Storage
import Testing

@testable import Replication

@Suite struct PartitionHighWatermarkTests {
  @Test func itIsTheLeastThatTheIsrHas() throws {
    let fixture = try ReplicaFixture()
    fixture.apply()
    try fixture.append(5)
    #expect(!fixture.partition.advanceHighWatermark())
    fixture.fetched(2, at: 5)
    #expect(!fixture.partition.advanceHighWatermark(), "of broker 3 nothing is known")
    fixture.fetched(3, at: 2)
    #expect(fixture.partition.advanceHighWatermark() && fixture.partition.highWatermark == Offset(2))
    fixture.fetched(3, at: 1)
    #expect(!fixture.partition.advanceHighWatermark() && fixture.partition.highWatermark == Offset(2), "never back")
  }

  @Test func withFsyncTheLeaderCountsWhatItHasFlushed() throws {
    let fixture = try ReplicaFixture(["durability": "fsync"])
    fixture.apply()
    try fixture.append(2)
    fixture.fetched(2, at: 2)
    fixture.fetched(3, at: 2)
    #expect(!fixture.partition.advanceHighWatermark() && fixture.partition.waitsForFlush)
    try fixture.partition.log.flush()
    #expect(fixture.partition.advanceHighWatermark() && fixture.partition.highWatermark == Offset(2))
    #expect(!fixture.partition.waitsForFlush)
  }

  @Test func itStaysWhileTooFewAreInSync() throws {
    let fixture = try ReplicaFixture(["durability": "replicated", "min.insync.replicas": "2"])
    fixture.image.isr = [BrokerID(1)]
    fixture.apply()
    #expect(try fixture.append() == .notEnoughReplicas)
    #expect(try fixture.append(requiresAllReplicas: false) == .none)
    #expect(!fixture.partition.advanceHighWatermark())
    // A partition of one replica is complete with it.
    let single = try ReplicaFixture(["durability": "replicated", "min.insync.replicas": "2"])
    single.image.replicas = [BrokerID(1)]
    single.image.isr = [BrokerID(1)]
    single.apply()
    try single.append(requiresAllReplicas: false)
    #expect(single.partition.advanceHighWatermark())
  }

  @Test func itWaitsForOneThatIsAboutToJoin() throws {
    let fixture = try ReplicaFixture()
    fixture.image.isr = [BrokerID(1)]
    fixture.apply()
    try fixture.append(2)
    #expect(fixture.partition.advanceHighWatermark())
    fixture.fetched(2, at: 2)
    try fixture.append()
    #expect(!fixture.partition.advanceHighWatermark(), "broker 2 is caught up and may join")
    // One that falls back does not hold it for ever.
    fixture.pass(ms: 1100)
    _ = fixture.partition.isrChange(now: fixture.now)
    fixture.partition.leading?.proposal = nil
    #expect(fixture.partition.advanceHighWatermark() && fixture.partition.highWatermark == Offset(3))
  }

  @Test func theEndIsKnownWhenItHasReachedTheTermsStart() throws {
    let fixture = try ReplicaFixture()
    _ = fixture.lead(2)
    try fixture.copy(from: 0, epochs: [6, 6, 6], highWatermark: 1)
    _ = fixture.lead(1)
    #expect(!fixture.partition.isEndKnown && fixture.partition.highWatermark == Offset(1))
    fixture.fetched(2, at: 2)
    fixture.fetched(3, at: 3)
    #expect(fixture.partition.advanceHighWatermark() && !fixture.partition.isEndKnown)
    fixture.fetched(2, at: 3)
    #expect(fixture.partition.advanceHighWatermark() && fixture.partition.isEndKnown)
  }
}
