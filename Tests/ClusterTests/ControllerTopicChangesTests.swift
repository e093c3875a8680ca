import Configuration
import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

private func delete(
  _ cluster: inout TestCluster, _ request: DeleteTopicsRequest
) throws -> [DeleteTopicsResponse.DeletableTopicResult] {
  guard case .deleteTopics(let response) = try cluster.run(.deleteTopics(request)) else { throw UnexpectedReply() }
  return response.responses
}

private func state(_ name: String?, _ id: UUID = .zero) -> DeleteTopicsRequest.DeleteTopicState {
  DeleteTopicsRequest.DeleteTopicState(name: name, topicId: id)
}

private func grow(
  _ cluster: inout TestCluster, _ topics: [CreatePartitionsRequest.CreatePartitionsTopic], validateOnly: Bool = false
) throws -> [CreatePartitionsResponse.CreatePartitionsTopicResult] {
  let request = CreatePartitionsRequest(topics: topics, validateOnly: validateOnly)
  guard case .createPartitions(let response) = try cluster.run(.createPartitions(request)) else {
    throw UnexpectedReply()
  }
  return response.results
}

private func more(
  _ name: String, _ count: Int32, _ assignments: [[Int32]]? = nil
) -> CreatePartitionsRequest.CreatePartitionsTopic {
  CreatePartitionsRequest.CreatePartitionsTopic(
    name: name, count: count,
    assignments: assignments?.map { CreatePartitionsRequest.CreatePartitionsAssignment(brokerIds: $0) })
}

@Suite struct ControllerDeleteTopicsTests {
  @Test func topicsGoByNameAndById() throws {
    var cluster = try TestCluster()
    let kept = try cluster.create("kept").topicId
    let byID = try cluster.create("by.id", partitions: 3, configs: [("retention.ms", "1")]).topicId
    try cluster.create("by.name")
    try cluster.create("by.old.name")
    let results = try delete(
      &cluster, DeleteTopicsRequest(topics: [state(nil, byID), state("by.name")], topicNames: ["by.old.name"]))
    #expect(results.allSatisfy { $0.errorCode == .none })
    #expect(results.map(\.name) == ["by.old.name", "by.id", "by.name"])
    #expect(results.allSatisfy { !$0.topicId.isZero })
    #expect(cluster.image.topicNames == ["kept"] && cluster.image.topic(id: kept) != nil)
    #expect(cluster.image.topic(id: byID) == nil && cluster.image.partitionCount == 1)
    #expect(cluster.image.configs(for: .topic("by.id")).isEmpty)
  }

  @Test func whatCannotBeDeletedIsRefused() throws {
    var cluster = try TestCluster()
    let id = try cluster.create("a").topicId
    let twice = try cluster.create("twice").topicId
    let unknown = UUID(high: 1, low: 2)
    let results = try delete(
      &cluster,
      DeleteTopicsRequest(topics: [
        state(nil), state("a", id), state("nope"), state(nil, unknown), state("twice"), state("twice"),
      ]))
    #expect(
      results.map(\.errorCode) == [
        .invalidRequest, .invalidRequest, .unknownTopicOrPartition, .unknownTopicId, .invalidRequest,
      ])
    #expect(cluster.image.topic(id: twice) != nil)
    let both = try delete(&cluster, DeleteTopicsRequest(topics: [state("a"), state(nil, id), state(nil, twice)]))
    #expect(both.map(\.errorCode) == [.none, .invalidRequest, .none])
    #expect(results.allSatisfy { $0.errorMessage != nil })
  }

  @Test func deletionCanBeDisabled() throws {
    let sources = ConfigurationSources(settings: [(name: "delete.topic.enable", value: "false")])
    var cluster = try TestCluster(config: try sources.load().config)
    try cluster.create("a")
    let results = try delete(&cluster, DeleteTopicsRequest(topicNames: ["a"]))
    #expect(results.map(\.errorCode) == [.topicDeletionDisabled])
    #expect(cluster.image.topicCount == 1)
  }
}

@Suite struct ControllerCreatePartitionsTests {
  @Test func partitionsAreAdded() throws {
    var cluster = try TestCluster(racks: [nil, nil, nil])
    try cluster.create("a", partitions: 2, replicas: 2)
    let old = try #require(cluster.image.topic(named: "a")).partitions
    #expect(try grow(&cluster, [more("a", 5)]).map(\.errorCode) == [.none])
    let partitions = try #require(cluster.image.topic(named: "a")).partitions
    #expect(partitions.count == 5 && cluster.image.partitionCount == 5)
    #expect(Array(partitions[..<2]) == old)
    #expect(partitions.allSatisfy { $0.replicas.count == 2 })
    #expect(try grow(&cluster, [more("a", 6, [[3, 1]])]).map(\.errorCode) == [.none])
    #expect(cluster.image.topic(named: "a")?.partitions[5].replicas.map(\.value) == [3, 1])
  }

  @Test func whatIsNoIncreaseIsRefused() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", partitions: 3)
    let before = cluster.log.count
    for (topic, code) in [
      (more("nope", 9), ErrorCode.unknownTopicOrPartition), (more("a", 3), .invalidPartitions),
      (more("a", 2), .invalidPartitions), (more("a", -1), .invalidPartitions), (more("a", .min), .invalidPartitions),
      (more("a", .max), .policyViolation), (more("a", 5, [[1]]), .invalidReplicaAssignment),
      (more("a", 4, []), .invalidReplicaAssignment), (more("a", 4, [[]]), .invalidReplicaAssignment),
      (more("a", 4, [[9]]), .invalidReplicaAssignment), (more("a", 4, [[1, 2]]), .invalidReplicaAssignment),
    ] {
      let result = try #require(try grow(&cluster, [topic]).first)
      #expect(result.errorCode == code, "\(topic): \(result.errorMessage ?? "")")
    }
    #expect(try grow(&cluster, [more("a", 4), more("a", 5)]).map(\.errorCode) == [.invalidRequest])
    #expect(try grow(&cluster, [more("a", 4)], validateOnly: true).map(\.errorCode) == [.none])
    #expect(cluster.log.count == before)
  }
}
