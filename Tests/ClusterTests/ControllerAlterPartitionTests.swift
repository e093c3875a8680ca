import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

@Suite struct ControllerAlterPartitionTests {
  @Test func aLeaderGetsTheIsrItWants() throws {
    var cluster = try TestCluster(racks: [nil, nil, nil])
    try cluster.create("a", on: [[1, 2, 3]])
    let answer = try cluster.alter(try cluster.proposal([1, 3]))
    #expect(
      answer
        == AlterPartitionResponse.PartitionData(
          partitionIndex: 0, errorCode: .none, leaderId: 1, leaderEpoch: 0, isr: [1, 3], partitionEpoch: 1))
    #expect(try cluster.partition().isr == ids(1, 3) && cluster.partition().leaderEpoch.value == 0)
    // The same again is a next state: whatever else is under way comes too late.
    #expect(try cluster.alter(try cluster.proposal([1, 3])).partitionEpoch == 2)
    #expect(try cluster.partition().isr == ids(1, 3) && cluster.partition().partitionEpoch == 2)
    try cluster.sync([1, 3, 2])
    #expect(try cluster.partition().isr == ids(1, 3, 2) && cluster.partition().partitionEpoch == 3)
  }

  @Test func onlyTheBrokerItselfMayAsk() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1, 2]])
    var request = try cluster.proposal([1])
    request.brokerEpoch -= 1
    #expect(refusal { try cluster.run(.alterPartition(request)) } == .staleBrokerEpoch)
    request.brokerEpoch = -1
    #expect(refusal { try cluster.run(.alterPartition(request)) } == .staleBrokerEpoch)
    request.brokerId = 7
    #expect(refusal { try cluster.run(.alterPartition(request)) } == .staleBrokerEpoch)
  }

  typealias Change = @Sendable (inout AlterPartitionRequest) -> Void

  /// Each refusal, with everything behind it wrong as well: the order is part of the contract.
  @Test func refusalsComeInOrder() throws {
    var cluster = try TestCluster(racks: [nil, nil, nil])
    try cluster.create("a", on: [[1, 2]])
    try cluster.sync([1])
    try cluster.sync([1, 2])
    try cluster.lose(1)
    try cluster.return(1)
    try cluster.sync([2, 1])
    // Leader 2, leader epoch 1, partition epoch 4.
    var request = try cluster.proposal([1])
    request.topics[0].topicId = UUID(high: 1, low: 1)
    request.topics[0].partitions[0].partitionIndex = 1
    request.topics[0].partitions[0].leaderEpoch = 2
    request.topics[0].partitions[0].leaderRecoveryState = 1
    request.topics[0].partitions[0].newIsrWithEpochs = [.init(brokerId: 1, brokerEpoch: 5), .init(brokerId: 3)]
    request.brokerId = 1
    request.brokerEpoch = cluster.epoch(of: 1)
    let topicID = try #require(cluster.image.topic(named: "a")).id
    let epochs = [1, 2, 3].map { cluster.epoch(of: $0) }
    let steps: [(ErrorCode, Change)] = [
      (.unknownTopicId, { $0.topics[0].topicId = topicID }),
      (.unknownTopicOrPartition, { $0.topics[0].partitions[0].partitionIndex = 0 }),
      (.notController, { $0.topics[0].partitions[0].leaderEpoch = 0 }),
      (
        .fencedLeaderEpoch,
        {
          $0.topics[0].partitions[0].leaderEpoch = 1
          $0.topics[0].partitions[0].partitionEpoch = 5
        }
      ),
      (.notController, { $0.topics[0].partitions[0].partitionEpoch = 3 }),
      (
        .invalidRequest,
        {
          $0.brokerId = 2
          $0.brokerEpoch = epochs[1]
        }
      ),
      (.invalidUpdateVersion, { $0.topics[0].partitions[0].partitionEpoch = 4 }),
      (.invalidRequest, { $0.topics[0].partitions[0].leaderRecoveryState = 0 }),
      (.invalidRequest, { $0.topics[0].partitions[0].newIsrWithEpochs[1] = .init(brokerId: 1) }),
      (.invalidRequest, { $0.topics[0].partitions[0].newIsrWithEpochs.removeLast() }),
      (.ineligibleReplica, { $0.topics[0].partitions[0].newIsrWithEpochs[0].brokerEpoch = -1 }),
      (.ineligibleReplica, { $0.topics[0].partitions[0].newIsrWithEpochs[0].brokerEpoch = epochs[0] }),
      (.invalidRequest, { $0.topics[0].partitions[0].newIsrWithEpochs = [] }),
      (
        .invalidRequest,
        {
          $0.topics[0].partitions[0].newIsrWithEpochs = [
            .init(brokerId: 2, brokerEpoch: epochs[1]), .init(brokerId: 1, brokerEpoch: epochs[0]),
          ]
        }
      ),
    ]
    let before = cluster.log.count
    for (number, (code, change)) in steps.enumerated() {
      #expect(try cluster.alter(request).errorCode == code, "step \(number)")
      change(&request)
    }
    var recovering = request
    recovering.topics[0].partitions[0].leaderRecoveryState = 1
    #expect(try cluster.alter(recovering).errorCode == .invalidRequest)
    #expect(cluster.log.count == before)
    #expect(try cluster.alter(request).errorCode == .none)
  }

  /// KIP-841 and KIP-903: a member that is fenced, is about to stop, or has died since the leader heard of it.
  @Test func whoIsNotWellDoesNotJoin() throws {
    var cluster = try TestCluster(racks: [nil, nil, nil])
    try cluster.create("a", on: [[1, 2, 3]])
    try cluster.sync([1])
    try cluster.lose(2)
    #expect(try cluster.alter(try cluster.proposal([1, 2])).errorCode == .ineligibleReplica)
    let before = try cluster.proposal([1, 3])
    try cluster.return(3)
    #expect(try cluster.alter(before).errorCode == .ineligibleReplica)
    _ = try cluster.shutDown(3)
    #expect(try cluster.alter(try cluster.proposal([1, 3])).errorCode == .ineligibleReplica)
    // Version 2 does not tell which life of a broker it means.
    var old = try cluster.proposal([1])
    old.topics[0].partitions[0].newIsrWithEpochs = []
    old.topics[0].partitions[0].newIsr = [1]
    #expect(try cluster.alter(old).errorCode == .ineligibleReplica)
  }

  @Test func aPartitionNamedTwiceIsAlteredOnce() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1, 2]])
    var request = try cluster.proposal([1])
    request.topics[0].partitions.append(request.topics[0].partitions[0])
    guard case .alterPartition(let response) = try cluster.run(.alterPartition(request)) else {
      throw UnexpectedReply()
    }
    #expect(response.topics[0].partitions.map(\.errorCode) == [.none, .invalidUpdateVersion])
    #expect(try cluster.partition().partitionEpoch == 1)
  }
}
