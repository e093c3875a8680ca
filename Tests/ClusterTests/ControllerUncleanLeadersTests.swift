import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

private func allow(
  _ cluster: inout TestCluster, type: Int8, _ name: String, value: String? = "true", validateOnly: Bool = false
) throws {
  let config = IncrementalAlterConfigsRequest.AlterableConfig(
    name: "unclean.leader.election.enable", configOperation: value == nil ? 1 : 0, value: value)
  let request = IncrementalAlterConfigsRequest(
    resources: [.init(resourceType: type, resourceName: name, configs: [config])], validateOnly: validateOnly)
  guard case .incrementalAlterConfigs(let response) = try cluster.run(.incrementalAlterConfigs(request)) else {
    throw UnexpectedReply()
  }
  #expect(response.responses.map(\.errorCode) == [.none])
}

/// Broker 2 is there, and holds old copies of what only broker 1 had in sync.
private func leaderless() throws -> TestCluster {
  var cluster = try TestCluster(racks: [nil, nil])
  try cluster.create("a", on: [[1, 2]])
  try cluster.create("b", on: [[1, 2]])
  try cluster.lose(2)
  try cluster.lose(1)
  try cluster.return(2)
  return cluster
}

@Suite struct ControllerUncleanLeadersTests {
  @Test func leadersComeWithTheConfig() throws {
    var cluster = try leaderless()
    #expect(try cluster.partition("a").leader == .none)
    try allow(&cluster, type: 2, "a", validateOnly: true)
    #expect(try cluster.partition("a").leader == .none)
    try allow(&cluster, type: 2, "a")
    #expect(try cluster.partition("a").leader == BrokerID(2) && cluster.partition("a").isr == ids(2))
    #expect(try cluster.partition("b").leader == .none)
  }

  @Test func theBrokersConfigIsForAllTopics() throws {
    var cluster = try leaderless()
    try allow(&cluster, type: 2, "b", value: "false")
    try allow(&cluster, type: 4, "")
    #expect(try cluster.partition("a").leader == BrokerID(2) && cluster.partition("b").leader == .none)
    try allow(&cluster, type: 2, "b", value: nil)
    #expect(try cluster.partition("b").leader == BrokerID(2))
  }

  @Test func theOlderRequestDoesItToo() throws {
    var cluster = try leaderless()
    let config = AlterConfigsRequest.AlterableConfig(name: "unclean.leader.election.enable", value: "true")
    try cluster.run(
      .alterConfigs(AlterConfigsRequest(resources: [.init(resourceType: 2, resourceName: "b", configs: [config])])))
    #expect(try cluster.partition("a").leader == .none && cluster.partition("b").leader == BrokerID(2))
  }
}
