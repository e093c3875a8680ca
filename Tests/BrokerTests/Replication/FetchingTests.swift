import Cluster
import KafkaProtocol
import Primitives
import TestSupport
import Testing

@testable import Broker

@Suite struct FetchingTests {
  /// Nobody is left without an answer because this broker does not see what the controller has decided.
  @Test func whoWaitsForAnImageThatDoesNotComeIsAnsweredAfterSomeTime() throws {
    let broker = try SimulatedBroker()
    let shard = broker.shards[0]
    let host = try #require(shard.controllerHost)
    var answers = 0
    shard.whenReached(Offset(1_000_000), host) { answers += 1 }
    broker.advance(ms: 9000)
    #expect(answers == 0)
    broker.advance(ms: 2000)
    #expect(answers == 1 && host.offsetWaits.isEmpty)
  }

  /// A follower that gets nothing says so, when that has gone on for as long as it may lag, and once in a while.
  @Test func whatIsNotReplicatedIsToldAfterSomeTime() throws {
    let topic = try ReplicatedTopic([1, 2], settings: [(name: "replica.lag.time.max.ms", value: "5000")])
    var ahead = topic.record
    ahead.leaderEpoch += 1
    ahead.partitionEpoch += 1
    // The follower alone hears of the next term: the leader knows nothing of it.
    topic[2].apply([.partition(ahead)])
    topic.cluster.advance(ms: 4000)
    let told = { topic[2].log.all.filter { $0.contains("orders-0: not replicated for") } }
    #expect(told().isEmpty)
    topic.cluster.advance(ms: 4000)
    #expect(told().first?.contains("UNKNOWN_LEADER_EPOCH") == true)
    #expect((1...5).contains(told().count))
  }
}
