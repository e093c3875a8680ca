import Configuration
import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

private func cluster(_ settings: [(name: String, value: String)] = []) throws -> TestCluster {
  var cluster = try TestCluster(racks: [nil, nil], config: try ConfigurationSources(settings: settings).load().config)
  try cluster.create("a", on: Array(repeating: [1, 2], count: 10) + [[2, 1]])
  try cluster.return(1)
  for index: Int32 in 0..<10 where index != 3 { try cluster.sync([2, 1], index: index) }
  return cluster
}

@Suite struct ControllerBalanceLeadersTests {
  @Test func leadershipGoesBackWhereItCan() throws {
    var cluster = try cluster()
    #expect(try cluster.run(.balanceLeaders) == .leadersBalanced(partitionCount: 9))
    #expect(try cluster.partition("a", 0).leader == BrokerID(1) && cluster.partition("a", 0).leaderEpoch.value == 2)
    #expect(try cluster.partition("a", 3).leader == BrokerID(2))
    // One of ten is led by another: not more than 10 percent.
    try cluster.sync([2, 1], index: 3)
    #expect(try cluster.run(.balanceLeaders) == .leadersBalanced(partitionCount: 0))
  }

  @Test func theShareIsConfigured() throws {
    var generous = try cluster([(name: "leader.imbalance.per.broker.percentage", value: "100")])
    #expect(try generous.run(.balanceLeaders) == .leadersBalanced(partitionCount: 0))
    var strict = try cluster([(name: "leader.imbalance.per.broker.percentage", value: "0")])
    try strict.run(.balanceLeaders)
    try strict.sync([2, 1], index: 3)
    #expect(try strict.run(.balanceLeaders) == .leadersBalanced(partitionCount: 1))
  }

  @Test func itCanBeDisabled() throws {
    var cluster = try cluster([(name: "auto.leader.rebalance.enable", value: "false")])
    #expect(try cluster.run(.balanceLeaders) == .leadersBalanced(partitionCount: 0))
  }

  @Test func whatIsOnTheMoveIsLeftAlone() throws {
    var cluster = try cluster()
    let move = AlterPartitionReassignmentsRequest.ReassignablePartition(partitionIndex: 0, replicas: [1])
    cluster.begin(3)
    try cluster.settle()
    let away = AlterPartitionReassignmentsRequest.ReassignablePartition(partitionIndex: 1, replicas: [1, 3])
    try cluster.run(
      .alterPartitionReassignments(
        AlterPartitionReassignmentsRequest(topics: [.init(name: "a", partitions: [move, away])])))
    #expect(try cluster.partition("a", 1).isReassigning)
    #expect(try cluster.run(.balanceLeaders) == .leadersBalanced(partitionCount: 7))
    #expect(try cluster.partition("a", 1).leader == BrokerID(2))
  }

  @Test func notAllGoAtOnce() throws {
    var cluster = try cluster()
    cluster.controller.limits.leaderMovesPerBalanceMax = 5
    #expect(try cluster.run(.balanceLeaders) == .leadersBalanced(partitionCount: 5))
    #expect(try cluster.run(.balanceLeaders) == .leadersBalanced(partitionCount: 4))
  }
}
