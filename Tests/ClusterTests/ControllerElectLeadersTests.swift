import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

private func elect(
  _ cluster: inout TestCluster, _ type: Int8, _ partitions: [Int32]?, topic: String = "a"
) throws -> [[ErrorCode]] {
  let request = ElectLeadersRequest(
    electionType: type, topicPartitions: partitions.map { [.init(topic: topic, partitions: $0)] })
  guard case .electLeaders(let response) = try cluster.run(.electLeaders(request)) else { throw UnexpectedReply() }
  return response.replicaElectionResults.map { $0.partitionResult.map(\.errorCode) }
}

@Suite struct ControllerElectLeadersTests {
  @Test func preferredReplicasLeadAgain() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1, 2], [2, 1], [1, 2]])
    try cluster.return(1)
    try cluster.sync([2, 1])
    #expect(
      try elect(&cluster, 0, [0, 1, 2, 3, -1, 0]) == [
        [
          .none, .electionNotNeeded, .preferredLeaderNotAvailable, .unknownTopicOrPartition, .unknownTopicOrPartition,
        ]
      ])
    #expect(try elect(&cluster, 0, [0], topic: "b") == [[.unknownTopicOrPartition]])
    #expect(try cluster.partition().leader == BrokerID(1) && cluster.partition().leaderEpoch.value == 2)
    #expect(try cluster.partition().isr == ids(2, 1))
    #expect(try cluster.partition("a", 2).leader == BrokerID(2))
    #expect(refusal { try elect(&cluster, 2, [0]) } == .invalidRequest)
  }

  @Test func ofAllOnlyThoseThatNeedItAreAnswered() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1, 2], [2, 1], [1, 2]])
    try cluster.create("b", on: [[2]])
    #expect(try elect(&cluster, 0, nil).isEmpty)
    try cluster.return(1)
    try cluster.sync([2, 1])
    #expect(try elect(&cluster, 0, nil) == [[.none, .preferredLeaderNotAvailable]])
    #expect(try cluster.partition().leader == BrokerID(1))
  }

  @Test func uncleanLeadersAreElectedWhereThereIsNone() throws {
    var cluster = try TestCluster(racks: [nil, nil, nil])
    try cluster.create("a", on: [[1, 2], [2, 1], [1, 3]])
    try cluster.lose(2, 3)
    try cluster.lose(1)
    try cluster.return(2)
    #expect(try elect(&cluster, 1, [0, 1, 2]) == [[.none, .none, .eligibleLeadersNotAvailable]])
    #expect(try cluster.partition().leader == BrokerID(2) && cluster.partition().isr == ids(2))
    #expect(try elect(&cluster, 1, [0]) == [[.electionNotNeeded]])
    #expect(try elect(&cluster, 1, nil) == [[.eligibleLeadersNotAvailable]])
  }

  /// Preferred elections lose nothing: a doubtful replica is none to prefer.
  @Test func aDoubtfulReplicaIsNotPreferred() throws {
    var cluster = try TestCluster()
    try cluster.create("a", on: [[1]])
    try cluster.return(1, data: 2)
    #expect(try elect(&cluster, 0, [0]) == [[.preferredLeaderNotAvailable]])
    #expect(try elect(&cluster, 1, [0]) == [[.none]])
    #expect(try cluster.partition().leader == BrokerID(1))
  }
}
