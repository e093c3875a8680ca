import Configuration
import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

@Suite struct ControllerCreateTopicsTests {
  @Test func aTopicIsMadeAsAsked() throws {
    var cluster = try TestCluster(racks: [nil, nil, nil])
    let made = try cluster.create("orders", partitions: 4, replicas: 2, configs: [("cleanup.policy", "compact")])
    #expect(made.errorCode == .none && made.errorMessage == nil)
    #expect(made.numPartitions == 4 && made.replicationFactor == 2)
    let topic = try #require(cluster.image.topic(named: "orders"))
    #expect(topic.id == made.topicId && !topic.id.isZero)
    #expect(cluster.image.topic(id: topic.id) == topic)
    #expect(topic.configs == ["cleanup.policy": "compact"])
    #expect(topic.partitions.count == 4 && cluster.image.partitionCount == 4)
    for partition in topic.partitions {
      #expect(partition.leader == partition.replicas[0] && partition.isr == partition.replicas)
      #expect(Set(partition.replicas).count == 2)
      #expect(partition.leaderEpoch == LeaderEpoch(0))
    }
  }

  /// Clients from version 5 on show the whole config after creating a topic.
  @Test func theAnswerHasEveryConfig() throws {
    var cluster = try TestCluster()
    let made = try cluster.create("a", configs: [("retention.ms", "1234")])
    let configs = try #require(made.configs)
    #expect(configs.count == BrokerConfig().describe(topicOverrides: [:]).count)
    let retention = try #require(configs.first { $0.name == "retention.ms" })
    #expect(retention.value == "1234" && retention.configSource == 1)
    let policy = try #require(configs.first { $0.name == "cleanup.policy" })
    #expect(policy.value == "delete" && policy.configSource == 5)
  }

  @Test func minusOneMeansTheDefaults() throws {
    let sources = ConfigurationSources(
      settings: [(name: "num.partitions", value: "3"), (name: "default.replication.factor", value: "2")])
    var cluster = try TestCluster(racks: [nil, nil], config: try sources.load().config)
    let made = try cluster.create("a", partitions: -1, replicas: -1)
    #expect(made.numPartitions == 3 && made.replicationFactor == 2)
  }

  @Test func validateOnlyChangesNothing() throws {
    var cluster = try TestCluster()
    let before = cluster.log.count
    let made = try cluster.create([wanted("a", partitions: 3)], validateOnly: true)
    #expect(made.first?.errorCode == ErrorCode.none && made.first?.numPartitions == 3)
    #expect(cluster.log.count == before && cluster.image.topic(named: "a") == nil)
  }

  @Test func idsDifferAlsoAfterDeletion() throws {
    var cluster = try TestCluster()
    var ids: Set<UUID> = []
    for _ in 0..<20 {
      ids.insert(try cluster.create("a").topicId)
      try cluster.run(.deleteTopics(DeleteTopicsRequest(topicNames: ["a"])))
    }
    #expect(ids.count == 20)
  }

  @Test(arguments: [
    (wanted(""), ErrorCode.invalidTopicException), (wanted("."), .invalidTopicException),
    (wanted("a/b"), .invalidTopicException), (wanted(String(repeating: "x", count: 250)), .invalidTopicException),
    (wanted("old"), .topicAlreadyExists), (wanted("with_under"), .invalidTopicException),
    (wanted("__cluster_metadata"), .invalidRequest),
    (wanted("a", partitions: 0), .invalidPartitions), (wanted("a", partitions: -2), .invalidPartitions),
    (wanted("a", partitions: .min), .invalidPartitions), (wanted("a", partitions: .max), .policyViolation),
    (wanted("a", partitions: 10_001), .policyViolation),
    (wanted("a", replicas: 0), .invalidReplicationFactor), (wanted("a", replicas: -2), .invalidReplicationFactor),
    (wanted("a", replicas: 3), .invalidReplicationFactor), (wanted("a", replicas: .max), .invalidReplicationFactor),
    (wanted("a", configs: [("no.such.config", "1")]), .invalidConfig),
    (wanted("a", configs: [("cleanup.policy", "shred")]), .invalidConfig),
    (wanted("a", configs: [("retention.ms", nil)]), .invalidConfig),
    (wanted("a", configs: [("min.compaction.lag.ms", "9"), ("max.compaction.lag.ms", "8")]), .invalidConfig),
    (wanted("a", configs: [(String(repeating: "n", count: 32_767), "1")]), .invalidConfig),
    (wanted("a", partitions: 1, replicas: -1, assignments: [(0, [1])]), .invalidRequest),
    (wanted("a", partitions: -1, replicas: 1, assignments: [(0, [1])]), .invalidRequest),
    (wanted("a", partitions: -1, replicas: -1, assignments: [(1, [1])]), .invalidReplicaAssignment),
    (wanted("a", partitions: -1, replicas: -1, assignments: [(0, [1]), (0, [1])]), .invalidReplicaAssignment),
    (wanted("a", partitions: -1, replicas: -1, assignments: [(-1, [1]), (0, [1])]), .invalidReplicaAssignment),
    (wanted("a", partitions: -1, replicas: -1, assignments: [(0, [])]), .invalidReplicaAssignment),
    (wanted("a", partitions: -1, replicas: -1, assignments: [(0, [9])]), .invalidReplicaAssignment),
    (wanted("a", partitions: -1, replicas: -1, assignments: [(0, [1, 1])]), .invalidReplicaAssignment),
    (wanted("a", partitions: -1, replicas: -1, assignments: [(0, [1, 2]), (1, [1])]), .invalidReplicaAssignment),
  ])
  func whatCannotBeMadeIsRefused(topic: CreateTopicsRequest.CreatableTopic, code: ErrorCode) throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("old")
    try cluster.create("with.under")
    let before = cluster.log.count
    let result = try #require(try cluster.create([topic]).first)
    #expect(result.errorCode == code, "\(result.errorMessage ?? "")")
    let message = try #require(result.errorMessage)
    #expect(!message.isEmpty && message.utf8.count < 1000)
    #expect(cluster.log.count == before)
  }

  @Test func assignmentsAreKept() throws {
    var cluster = try TestCluster(racks: [nil, nil, nil])
    let topic = wanted("a", partitions: -1, replicas: -1, assignments: [(1, [3, 1]), (0, [2, 3])])
    let made = try #require(try cluster.create([topic]).first)
    #expect(made.errorCode == .none && made.numPartitions == 2 && made.replicationFactor == 2)
    let partitions = try #require(cluster.image.topic(named: "a")).partitions
    #expect(partitions.map { $0.replicas.map(\.value) } == [[2, 3], [3, 1]])
    #expect(partitions.map(\.leader.value) == [2, 3])
  }

  /// One bad topic does not stop the others; a name given twice is refused, and answered once.
  @Test func eachTopicHasItsOwnAnswer() throws {
    var cluster = try TestCluster()
    let results = try cluster.create([wanted("a"), wanted("b", partitions: 0), wanted("c"), wanted("c"), wanted("d")])
    #expect(results.map(\.name) == ["a", "b", "c", "d"])
    #expect(results.map(\.errorCode) == [.none, .invalidPartitions, .invalidRequest, .none])
    #expect(cluster.image.topicNames == ["a", "d"])
  }

  @Test func topicsOfOneRequestCollideToo() throws {
    var cluster = try TestCluster()
    let results = try cluster.create([wanted("a.b"), wanted("a_b")])
    #expect(results.map(\.errorCode) == [.none, .invalidTopicException])
    try cluster.run(.deleteTopics(DeleteTopicsRequest(topicNames: ["a.b"])))
    #expect(try cluster.create("a_b").errorCode == .none)
  }

  @Test func aRequestForTooManyPartitionsIsRefusedWhole() throws {
    var cluster = try TestCluster()
    let results = try cluster.create((0..<11).map { wanted("t\($0)", partitions: 1000) })
    #expect(results.count == 11 && results.allSatisfy { $0.errorCode == .policyViolation })
    #expect(try cluster.create([]).isEmpty)
  }

  @Test func theClusterHasALimit() throws {
    let sources = ConfigurationSources(settings: [
      (name: "ottla.partitions.max", value: "5"), (name: "ottla.topic.partitions.max", value: "4"),
    ])
    var cluster = try TestCluster(config: try sources.load().config)
    #expect(try cluster.create("a", partitions: 5).errorCode == .policyViolation)
    #expect(try cluster.create("a", partitions: 4).errorCode == .none)
    #expect(try cluster.create("b", partitions: 2).errorCode == .policyViolation)
    #expect(try cluster.create("b", partitions: 1).errorCode == .none)
  }

  @Test func withoutBrokersNothingCanBePlaced() throws {
    var cluster = try TestCluster(racks: [])
    #expect(try cluster.create("a").errorCode == .invalidReplicationFactor)
  }

  @Test func consumerOffsetsFitTheBrokersThereAre() throws {
    var cluster = try TestCluster(racks: [nil])
    let topic = InternalTopic.consumerOffsets(BrokerConfig())
    guard case .internalTopic(let id) = try cluster.run(.createInternalTopic(topic)) else { throw UnexpectedReply() }
    let made = try #require(cluster.image.topic(named: "__consumer_offsets"))
    #expect(made.id == id && made.isInternal && made.partitions.count == 50)
    #expect(made.partitions[0].replicas == [BrokerID(1)])
    #expect(
      made.configs == ["cleanup.policy": "compact", "compression.type": "producer", "segment.bytes": "104857600"])
    let before = cluster.log.count
    #expect(try cluster.run(.createInternalTopic(topic)) == .internalTopic(id: id))
    #expect(cluster.log.count == before)
  }
}
