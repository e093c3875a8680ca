import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

/// Brokers that are alive and cannot serve some of their replicas.
@Suite struct ControllerReplicaDirsTests {
  @Test func aLeaderThatLostItsReplicaIsReplacedAndLeavesTheIsr() throws {
    var cluster = try TestCluster(racks: [nil, nil, nil])
    try cluster.create("a", on: [[1, 2, 3], [2, 1, 3], [3, 2, 1]])
    #expect(try cluster.lose([0, 1, 2], of: "a", by: 1) == [.none, .none, .none])
    let partitions = try #require(cluster.image.topic(named: "a")).partitions
    #expect(partitions.map(\.leader) == ids(2, 2, 3))
    #expect(partitions.map(\.isr) == [ids(2, 3), ids(2, 3), ids(3, 2)])
    #expect(partitions.map(\.leaderEpoch.value) == [1, 0, 0] && partitions.allSatisfy { $0.partitionEpoch == 1 })
    #expect(partitions.allSatisfy { $0.offlineReplicas == ids(1) })
    // Said again it is nothing new.
    let before = cluster.log.count
    #expect(try cluster.lose([0], of: "a", by: 1) == [.none] && cluster.log.count == before)
  }

  /// It has to come into sync first, as if it had been away.
  @Test func aReplicaThatIsThereAgainFollows() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1, 2]])
    try cluster.lose([0], of: "a", by: 1)
    #expect(try cluster.alter(try cluster.proposal([1, 2])).errorCode == .ineligibleReplica)
    let elect = ElectLeadersRequest(electionType: 0, topicPartitions: [.init(topic: "a", partitions: [0])])
    guard case .electLeaders(let refused) = try cluster.run(.electLeaders(elect)) else { throw UnexpectedReply() }
    #expect(refused.replicaElectionResults[0].partitionResult[0].errorCode == .preferredLeaderNotAvailable)
    #expect(try cluster.find([0], of: "a", by: 1) == [.none])
    let partition = try cluster.partition()
    #expect(partition.leader == BrokerID(2) && partition.isr == ids(2) && partition.offlineReplicas.isEmpty)
    try cluster.sync([1, 2])
  }

  /// Nobody else has everything: it is waited for, whoever else is there (R5).
  @Test func theLastInSyncIsWaitedFor() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1, 2]])
    try cluster.sync([1])
    try cluster.lose([0], of: "a", by: 1)
    #expect(try cluster.partition().leader == .none && cluster.partition().isr == ids(1))
    try cluster.lose(2)
    try cluster.return(2)
    #expect(try cluster.partition().leader == .none && cluster.partition().isr == ids(1))
    try cluster.find([0], of: "a", by: 1)
    let partition = try cluster.partition()
    #expect(partition.leader == BrokerID(1) && partition.leaderEpoch.value == 2 && partition.isr == ids(1))
  }

  @Test func whereItIsAllowedOneLeadsThatMayLackRecords() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1, 2]], configs: [("unclean.leader.election.enable", "true")])
    try cluster.sync([1])
    try cluster.lose([0], of: "a", by: 1)
    #expect(try cluster.partition().leader == BrokerID(2) && cluster.partition().isr == ids(2))
    // One that is lost itself does not.
    try cluster.lose([0], of: "a", by: 2)
    #expect(try cluster.partition().leader == .none && cluster.partition().isr == ids(2))
  }

  /// What was so in one life is not held against the next; a broker that was only out of sight is the same.
  @Test func anotherLifeBeginsAnew() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1]])
    try cluster.create("b", on: [[1, 2]])
    try cluster.lose([0], of: "a", by: 1)
    try cluster.lose([0], of: "b", by: 1)
    cluster.end(1)
    try cluster.settle()
    cluster.resume(1)
    try cluster.settle()
    #expect(try cluster.partition("a").leader == .none && cluster.partition("a").offlineReplicas == ids(1))
    #expect(try cluster.partition("b").offlineReplicas == ids(1))
    try cluster.return(1)
    #expect(try cluster.partition("a").leader == BrokerID(1) && cluster.partition("a").offlineReplicas.isEmpty)
    #expect(try cluster.partition("b").leader == BrokerID(2) && cluster.partition("b").offlineReplicas.isEmpty)
  }

  @Test func aReplicaThatGoesIsNotRemembered() throws {
    var cluster = try TestCluster(racks: [nil, nil, nil])
    try cluster.create("a", on: [[1, 2]])
    try cluster.lose([0], of: "a", by: 1)
    let move = AlterPartitionReassignmentsRequest(topics: [
      .init(name: "a", partitions: [.init(partitionIndex: 0, replicas: [2, 3])])
    ])
    try cluster.run(.alterPartitionReassignments(move))
    try cluster.sync([2, 3])
    #expect(try cluster.partition().replicas == ids(2, 3) && cluster.partition().offlineReplicas.isEmpty)
  }

  @Test func refusals() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1]])
    #expect(try cluster.lose([0, 1], of: "a", by: 2) == [.notLeaderOrFollower, .unknownTopicOrPartition])
    let id = try #require(cluster.image.topic(named: "a")).id
    var request = cluster.statement(DirectoryID.lost, UUID(high: 1, low: 1), [0], by: 1)
    guard case .assignReplicasToDirs(let unknown) = try cluster.run(.assignReplicasToDirs(request)) else {
      throw UnexpectedReply()
    }
    #expect(unknown.directories[0].topics[0].partitions[0].errorCode == .unknownTopicId)
    request = cluster.statement(UUID(high: 1, low: 1), id, [0], by: 1)
    #expect(refusal { try cluster.run(.assignReplicasToDirs(request)) } == .invalidRequest)
    request = cluster.statement(DirectoryID.lost, id, [0], by: 1)
    request.brokerEpoch -= 1
    #expect(refusal { try cluster.run(.assignReplicasToDirs(request)) } == .staleBrokerEpoch)
    request.brokerId = 9
    #expect(refusal { try cluster.run(.assignReplicasToDirs(request)) } == .brokerIdNotRegistered)
    #expect(try cluster.partition().leader == BrokerID(1))
  }
}

extension TestCluster {
  func statement(
    _ directory: UUID, _ topicID: UUID, _ partitions: [Int32], by broker: Int32
  ) -> AssignReplicasToDirsRequest {
    AssignReplicasToDirsRequest(
      brokerId: broker, brokerEpoch: epoch(of: broker),
      directories: [
        .init(
          id: directory, topics: [.init(topicId: topicID, partitions: partitions.map { .init(partitionIndex: $0) })])
      ])
  }

  @discardableResult
  mutating func lose(_ partitions: [Int32], of topic: String, by broker: Int32) throws -> [ErrorCode] {
    try state(DirectoryID.lost, partitions, of: topic, by: broker)
  }

  @discardableResult
  mutating func find(_ partitions: [Int32], of topic: String, by broker: Int32) throws -> [ErrorCode] {
    try state(DirectoryID.unassigned, partitions, of: topic, by: broker)
  }

  private mutating func state(
    _ directory: UUID, _ partitions: [Int32], of topic: String, by broker: Int32
  ) throws -> [ErrorCode] {
    let id = try #require(image.topic(named: topic)).id
    let reply = try run(.assignReplicasToDirs(statement(directory, id, partitions, by: broker)))
    guard case .assignReplicasToDirs(let response) = reply else { throw UnexpectedReply() }
    return response.directories.flatMap { $0.topics.flatMap { $0.partitions.map(\.errorCode) } }
  }
}
