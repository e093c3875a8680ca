import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

private func move(
  _ cluster: inout TestCluster, to replicas: [Int32]?, topic: String = "a", index: Int32 = 0, mayResize: Bool = true
) throws -> ErrorCode {
  let partition = AlterPartitionReassignmentsRequest.ReassignablePartition(partitionIndex: index, replicas: replicas)
  let request = AlterPartitionReassignmentsRequest(
    allowReplicationFactorChange: mayResize, topics: [.init(name: topic, partitions: [partition])])
  guard case .alterPartitionReassignments(let response) = try cluster.run(.alterPartitionReassignments(request)) else {
    throw UnexpectedReply()
  }
  #expect(response.errorCode == .none)
  return try #require(response.responses.first?.partitions.first).errorCode
}

private func listed(_ cluster: TestCluster, _ topics: [(String, [Int32])]? = nil) -> [String] {
  let request = ListPartitionReassignmentsRequest(topics: topics?.map { .init(name: $0.0, partitionIndexes: $0.1) })
  return cluster.image.reassignments(request).topics.flatMap { topic in
    topic.partitions.map {
      "\(topic.name)-\($0.partitionIndex) \($0.replicas) +\($0.addingReplicas) -\($0.removingReplicas)"
    }
  }
}

@Suite struct ControllerReassignmentsTests {
  @Test func aMoveBeginsAndEnds() throws {
    var cluster = try TestCluster(racks: Array(repeating: nil, count: 5))
    try cluster.create("a", on: [[1, 2, 3], [1, 2, 3]])
    #expect(try move(&cluster, to: [4, 2]) == .none)
    var partition = try cluster.partition()
    #expect(partition.replicas == ids(4, 2, 1, 3) && partition.isr == ids(1, 2, 3) && partition.leader == BrokerID(1))
    #expect(partition.addingReplicas == ids(4) && partition.removingReplicas == ids(1, 3))
    #expect(partition.leaderEpoch.value == 0 && partition.partitionEpoch == 1)
    #expect(listed(cluster) == ["a-0 [4, 2, 1, 3] +[4] -[1, 3]"])
    #expect(listed(cluster, [("a", [1, 0, 0, 7, -1]), ("b", [0])]) == listed(cluster))
    #expect(listed(cluster, [("a", [1])]).isEmpty && listed(cluster, []).isEmpty)

    let answer = try cluster.alter(try cluster.proposal([1, 2, 3, 4]))
    #expect(answer.errorCode == .newLeaderElected && answer.leaderId == 4 && answer.isr == [2, 4])
    partition = try cluster.partition()
    #expect(partition.replicas == ids(4, 2) && partition.isr == ids(2, 4) && partition.leader == BrokerID(4))
    #expect(!partition.isReassigning && partition.leaderEpoch.value == 1 && partition.partitionEpoch == 2)
    #expect(listed(cluster).isEmpty)
  }

  /// Else the leader would go on with what it knew of the replica that went, when that comes again with nothing.
  @Test func aMoveThatKeepsItsLeaderBeginsANewTermAllTheSame() throws {
    var cluster = try TestCluster(racks: Array(repeating: nil, count: 3))
    try cluster.create("a", on: [[1, 2]])
    #expect(try move(&cluster, to: [3, 1]) == .none)
    try cluster.sync([1, 2, 3])
    let partition = try cluster.partition()
    #expect(partition.replicas == ids(3, 1) && partition.leader == BrokerID(1) && partition.leaderEpoch.value == 1)
  }

  @Test func whatNeedsNobodyNewIsDoneAtOnce() throws {
    var cluster = try TestCluster(racks: Array(repeating: nil, count: 3))
    try cluster.create("a", on: [[1, 2, 3]])
    #expect(try move(&cluster, to: [3, 2]) == .none)
    let partition = try cluster.partition()
    #expect(partition.replicas == ids(3, 2) && partition.isr == ids(2, 3) && partition.leader == BrokerID(3))
    #expect(!partition.isReassigning)
    #expect(try move(&cluster, to: [2, 3]) == .none)
    #expect(try cluster.partition().replicas == ids(2, 3) && cluster.partition().leader == BrokerID(3))
    let before = cluster.log.count
    #expect(try move(&cluster, to: [2, 3]) == .none)
    #expect(cluster.log.count == before)
  }

  @Test func aMoveWaitsForThoseThatStay() throws {
    var cluster = try TestCluster(racks: Array(repeating: nil, count: 4))
    try cluster.create("a", on: [[1, 2]])
    try cluster.lose(2)
    #expect(try move(&cluster, to: [2, 3]) == .none)
    try cluster.sync([1, 3])
    #expect(try cluster.partition().isReassigning)
    try cluster.return(2)
    #expect(try cluster.alter(try cluster.proposal([1, 3, 2])).errorCode == .newLeaderElected)
    #expect(try cluster.partition().replicas == ids(2, 3))
  }

  @Test func aMoveIsCancelled() throws {
    var cluster = try TestCluster(racks: Array(repeating: nil, count: 5))
    try cluster.create("a", on: [[1, 2, 3]])
    #expect(try move(&cluster, to: nil) == .noReassignmentInProgress)
    #expect(try move(&cluster, to: [4, 5, 3]) == .none)
    try cluster.sync([1, 2, 3, 4])
    #expect(try move(&cluster, to: nil) == .none)
    let partition = try cluster.partition()
    #expect(Set(partition.replicas) == Set(ids(1, 2, 3)) && Set(partition.isr) == Set(ids(1, 2, 3)))
    #expect(!partition.isReassigning && partition.leader == BrokerID(1))
    #expect(try move(&cluster, to: nil) == .noReassignmentInProgress)
  }

  /// Where it goes counts from where it began, not from half-way (KIP-455).
  @Test func aMoveIsReplacedByAnother() throws {
    var cluster = try TestCluster(racks: Array(repeating: nil, count: 5))
    try cluster.create("a", on: [[1, 2]])
    #expect(try move(&cluster, to: [3, 4]) == .none)
    try cluster.sync([1, 2, 3])
    #expect(try move(&cluster, to: [4, 5]) == .none)
    let partition = try cluster.partition()
    #expect(partition.replicas == ids(4, 5, 1, 2) && partition.isr == ids(1, 2))
    #expect(partition.addingReplicas == ids(4, 5) && partition.removingReplicas == ids(1, 2))
  }

  @Test func whatWouldLeaveNobodyInSyncIsRefused() throws {
    var cluster = try TestCluster(racks: Array(repeating: nil, count: 4))
    try cluster.create("a", on: [[1]])
    #expect(try move(&cluster, to: [2, 3]) == .none)
    try cluster.sync([1, 2])
    try cluster.lose(1)
    // Only the replica that the move brought is left.
    #expect(try cluster.partition().leader == BrokerID(2))
    #expect(try move(&cluster, to: nil) == .invalidReplicaAssignment)
    #expect(try move(&cluster, to: [3, 4]) == .invalidReplicaAssignment)
    let config = IncrementalAlterConfigsRequest.AlterableConfig(
      name: "unclean.leader.election.enable", configOperation: 0, value: "true")
    try cluster.run(
      .incrementalAlterConfigs(
        IncrementalAlterConfigsRequest(resources: [.init(resourceType: 2, resourceName: "a", configs: [config])])))
    #expect(try move(&cluster, to: nil) == .invalidReplicaAssignment)
    try cluster.return(1)
    #expect(try move(&cluster, to: nil) == .none)
    #expect(try cluster.partition().leader == BrokerID(1) && cluster.partition().isr == ids(1))
  }

  @Test func whatIsNoAssignmentIsRefused() throws {
    var cluster = try TestCluster(racks: Array(repeating: nil, count: 3))
    try cluster.create("a", on: [[1, 2]])
    let before = cluster.log.count
    for replicas: [Int32] in [[], [1, 1], [1, 9], [-1], [1, .max]] {
      #expect(try move(&cluster, to: replicas) == .invalidReplicaAssignment, "\(replicas)")
    }
    #expect(try move(&cluster, to: [1], index: 1) == .unknownTopicOrPartition)
    #expect(try move(&cluster, to: [1], topic: "b") == .unknownTopicOrPartition)
    #expect(try move(&cluster, to: [1], mayResize: false) == .invalidReplicationFactor)
    #expect(cluster.log.count == before)
    #expect(try move(&cluster, to: [1, 3], mayResize: false) == .none)
    #expect(try move(&cluster, to: [2, 3], mayResize: false) == .none)
    #expect(try move(&cluster, to: [1, 2, 3], mayResize: false) == .invalidReplicationFactor)
  }
}
