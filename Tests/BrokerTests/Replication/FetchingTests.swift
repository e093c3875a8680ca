import Cluster
import KafkaProtocol
import Primitives
import Replication
import TestSupport
import Testing

@testable import Broker
@testable import Storage

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

  /// DeleteRecords in the middle of a batch: the leader's log begins within it. Who has nothing begins at that offset, gets the whole
  /// batch, begins anew for it, and is to fetch on behind it: it would never be in sync.
  @Test(arguments: [Int64(4), 10])
  func aReplicaWithNothingCopiesALogThatBeginsWithinABatch(start: Int64) throws {
    let topic = try ReplicatedTopic([1, 2])
    let client = topic[1].connect()
    client.sendProduce(ReplicatedTopic.name, 0, (0..<10).map { "record \($0)" })
    topic.cluster.advance(ms: 1000)
    client.sendDeleteRecords(ReplicatedTopic.name, 0, before: start)
    topic.cluster.advance(ms: 1000)
    #expect(try topic.hosted(1).partition.log.logStartOffset == Offset(start))
    topic.change { $0.replicas = [1, 2, 3] }
    topic.cluster.advance(ms: 5000)
    let copy = try topic.hosted(3).partition
    #expect(copy.log.logStartOffset == Offset(start) && copy.log.logEndOffset == Offset(10))
    #expect(copy.log.unnotedCut == nil && copy.log.recoveryPoint == Offset(10), "what is flushed counts")
    let position = FetchPosition(
      offset: Offset(10), lastFetchedEpoch: copy.log.latestEpoch, logStartOffset: Offset(start))
    #expect(copy.fetchReadiness == .at(position), "it fetches on")
    #expect(try topic.readAll(3)?.map(\.value) == topic.readAll(1)?.map(\.value))
  }
}
