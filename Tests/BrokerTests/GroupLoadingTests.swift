import Cluster
import KafkaProtocol
import Primitives
import Replication
import Storage
import TestSupport
import Testing

@testable import Broker

/// A coordinator with a long log is read a piece a turn.
@Suite struct GroupLoadingTests {
  private static let groupCount = 300

  /// A broker whose one coordinator has more to read than a turn's share.
  private func broker() throws -> SimulatedBroker {
    let broker = try SimulatedBroker(settings: [(name: "offsets.topic.num.partitions", value: "1")])
    try broker.create("orders")
    try broker.create("gone")
    let client = broker.connect()
    for number in 0..<Self.groupCount {
      let partition = OffsetCommitRequest.OffsetCommitRequestPartition(
        partitionIndex: 0, committedOffset: Int64(number), committedMetadata: String(repeating: "m", count: 3000))
      let topics = ["orders", "gone"].map {
        OffsetCommitRequest.OffsetCommitRequestTopic(name: $0, partitions: [partition])
      }
      client.send(
        .offsetCommit(OffsetCommitRequest(groupId: "g\(number)", topics: topics)), version: 8, key: .offsetCommit)
    }
    broker.settle()
    for answer in client.take() { #expect(answer.commitErrors == [.none, .none]) }
    let hosted = try #require(broker.shards[0].groupHosts[0]).hosted
    try #require(hosted.partition.log.sizeBytes > 4 * Int64(Shard.groupLoadBytesMax))
    return broker
  }

  /// Throws the coordinator away and has it read again, as when another broker has led its partition meanwhile.
  private func reload(_ broker: SimulatedBroker) throws {
    let shard = broker.shards[0]
    let hosted = try #require(shard.groupHosts[0]).hosted
    shard.beginTurn()
    shard.dropCoordinator(of: hosted)
    shard.settleCoordinator(hosted)
    try #require(shard.groupHosts[0] == nil && shard.groupLoads[0] != nil)
  }

  @Test func othersAreServedInBetweenAndGroupsAtTheEnd() throws {
    let broker = try broker()
    try reload(broker)
    let client = broker.connect()
    let other = broker.connect()
    client.sendOffsetFetch("g7", "orders", 0)
    client.send(.listGroups(ListGroupsRequest()), version: 4, key: .listGroups)
    var turns = 0
    while broker.shards[0].groupLoads[0] != nil {
      other.sendProduce("orders", 0, ["x"], acks: 1)
      broker.turn(0)
      #expect(other.take().map { $0.produced[0].errorCode } == [.none])
      turns += 1
      try #require(turns < 100)
    }
    #expect(turns > 3)
    let answers = client.take()
    guard case .offsetFetch(let fetched) = answers[0].response, case .listGroups(let list) = answers[1].response
    else { throw WrongAnswer() }
    #expect(fetched.groups[0].errorCode == .coordinatorLoadInProgress)
    #expect(list.errorCode == .coordinatorLoadInProgress)
    for number in 0..<Self.groupCount { client.sendOffsetFetch("g\(number)", "orders", 0) }
    broker.settle()
    #expect(client.take().flatMap(\.committedOffsets) == (0..<Self.groupCount).map { Int64($0) })
  }

  /// What was deleted while it was read is not remembered.
  @Test func topicsThatGoMeanwhileAreForgotten() throws {
    let broker = try broker()
    try reload(broker)
    let client = broker.connect()
    client.sendDelete("gone")
    broker.turn(0)
    try #require(broker.shards[0].groupLoads[0] != nil && broker.shards[0].image.topic(named: "gone") == nil)
    broker.settle()
    #expect(try client.takeOne().topicErrors == [.none])
    try broker.create("gone")
    client.sendOffsetFetch("g7", "gone", 0)
    client.sendOffsetFetch("g7", "orders", 0)
    broker.settle()
    #expect(client.take().flatMap(\.committedOffsets) == [-1, 7])
  }

  @Test func aCoordinatorThatGoesWhileItIsReadIsGone() throws {
    let broker = try broker()
    try reload(broker)
    let shard = broker.shards[0]
    shard.dropCoordinator(of: try #require(shard.groupLoads[0]).hosted)
    broker.settle()
    #expect(shard.groupHosts[0] == nil && shard.groupLoads[0] == nil)
    let client = broker.connect()
    client.sendOffsetFetch("g7", "orders", 0)
    broker.settle()
    guard case .offsetFetch(let fetched) = try client.takeOne().response else { throw WrongAnswer() }
    #expect(fetched.groups[0].errorCode == .coordinatorNotAvailable)
  }

  private struct WrongAnswer: Error {}
}
