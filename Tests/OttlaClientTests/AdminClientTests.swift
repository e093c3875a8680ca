import OttlaClient
import TestServers
import Testing

@Suite struct AdminClientTests {
  @Test func topicsAreMadeDescribedGrownAndDeleted() async throws {
    let broker = try TestBroker()
    let admin = try broker.admin
    try await admin.createTopic("a", partitions: 2, configs: ["retention.ms": "60000"])
    try await admin.createTopic("b")
    #expect(try await admin.listTopics() == ["a", "b"])
    let description = try await admin.describeTopic("a")
    #expect(description.partitions.map(\.partition) == [0, 1] && !description.isInternal)
    #expect(description.partitions.allSatisfy { $0.leader == $0.replicas.first && $0.isr == $0.replicas })
    try await admin.createPartitions(of: "a", total: 5)
    #expect(try await admin.describeTopic("a").partitions.count == 5)
    await #expect {
      try await admin.createTopic("a")
    } throws: { error in
      guard let error = error as? ClientError, case .refused(36, "TOPIC_ALREADY_EXISTS", _) = error else {
        return false
      }
      return !error.isRetriable && !error.isFatal && error.code == 36
    }
    await #expect {
      try await admin.createPartitions(of: "a", total: 3)
    } throws: { ($0 as? ClientError)?.code == 37 }
    try await admin.createTopic("c-1")
    let missing = TopicPartition("c-1", 9)
    await #expect(throws: ClientError.unknownPartition(missing)) { try await admin.listOffsets([missing], at: .latest) }
    await #expect(throws: ClientError.unknownPartition(missing)) { try await admin.deleteRecords(before: [missing: 1]) }
    try await admin.deleteTopic("c-1")
    try await admin.deleteTopic("a")
    #expect(try await admin.listTopics() == ["b"])
    await #expect(throws: ClientError.unknownTopic("a")) { try await admin.describeTopic("a") }
    await #expect(throws: ClientError.unknownTopic("a")) { try await admin.deleteTopic("a") }
  }

  @Test func propertiesAreSetAndSetBack() async throws {
    let broker = try TestBroker()
    let admin = try broker.admin
    try await admin.createTopic("t")
    func retention() async throws -> ConfigEntry? {
      try await admin.describeConfigs(.topic("t")).first { $0.name == "retention.ms" }
    }
    #expect(try await retention()?.source == .default)
    try await admin.alterConfigs(.topic("t"), set: ["retention.ms": "1000"])
    #expect(try await retention()?.value == "1000")
    #expect(try await retention()?.source == .topic)
    try await admin.alterConfigs(.topic("t"), delete: ["retention.ms"])
    #expect(try await retention()?.source == .default)
    await #expect {
      try await admin.alterConfigs(.topic("t"), set: ["retention.ms": "soon"])
    } throws: { ($0 as? ClientError)?.name == "INVALID_CONFIG" }
  }

  @Test func groupsAndTheirOffsets() async throws {
    let broker = try TestBroker()
    let admin = try broker.admin
    let partition = TopicPartition("t", 0)
    try await admin.createTopic("t")
    try await broker.produce(0..<10, to: "t")
    let consumer = try Consumer(broker.consumerConfiguration("g"))
    try await consumer.subscribe(to: ["t"])
    _ = try await take(3, from: consumer)
    let description = try await admin.describeGroup("g")
    #expect(description.state == "Stable" && description.assignmentStrategy == "range")
    #expect(description.members.map(\.assignment) == [[partition]])
    #expect(try await admin.listGroups().map(\.groupId) == ["g"])
    try await consumer.close()
    #expect(try await admin.committedOffsets(of: "g") == [partition: 2])
    try await admin.alterOffsets(of: "g", to: [partition: 5])
    #expect(try await admin.committedOffsets(of: "g") == [partition: 5])
    try await admin.deleteOffsets(of: "g", in: [partition])
    #expect(try await admin.committedOffsets(of: "g") == [:])
    try await admin.deleteGroup("g")
    #expect(try await admin.describeGroup("g").state == "Dead")
    await #expect {
      try await admin.deleteGroup("nobody")
    } throws: { ($0 as? ClientError)?.name == "GROUP_ID_NOT_FOUND" }
  }

  @Test func recordsAreDroppedAndOffsetsFound() async throws {
    let broker = try TestBroker()
    let admin = try broker.admin
    let partition = TopicPartition("t", 0)
    try await admin.createTopic("t")
    try await broker.produce(0..<10, to: "t")
    #expect(try await admin.deleteRecords(before: [partition: 4]) == [partition: 4])
    #expect(try await admin.listOffsets([partition], at: .earliest) == [partition: 4])
    #expect(try await admin.listOffsets([partition], at: .latest) == [partition: 10])
    #expect(try await admin.listOffsets([partition], at: .forTimestamp(.max)) == [:])
    await #expect {
      try await admin.deleteRecords(before: [partition: 99])
    } throws: { ($0 as? ClientError)?.name == "OFFSET_OUT_OF_RANGE" }
  }

  @Test func theClusterIsDescribed() async throws {
    let broker = try TestBroker()
    let admin = try broker.admin
    try await admin.createTopic("t")
    let cluster = try await admin.describeCluster()
    #expect(!cluster.clusterId.isEmpty && cluster.brokers.count == 1 && cluster.controllerId == cluster.brokers[0].id)
    #expect("\(cluster.brokers[0].host):\(cluster.brokers[0].port)" == broker.bootstrapServers)
    #expect(try await admin.electLeaders(.preferred, of: [TopicPartition("t", 0)]) == [:])
    let refused = try await admin.electLeaders(.preferred, of: [TopicPartition("none", 0)])
    #expect(refused[TopicPartition("none", 0)]?.name == "UNKNOWN_TOPIC_OR_PARTITION")
    await admin.disconnect()
    #expect(try await admin.listTopics() == ["t"])
  }

  @Test func wrongServersAreNamedAtOnce() async throws {
    #expect {
      try AdminClient(AdminConfiguration(bootstrapServers: "one two"))
    } throws: { "\($0)".contains("'one two' is no value for bootstrap.servers") }
    let admin = try AdminClient(AdminConfiguration(bootstrapServers: "127.0.0.1:1"))
    await #expect {
      try await admin.listTopics()
    } throws: {
      "\($0)".hasPrefix("no broker answers at 127.0.0.1:1 (connection refused); is one running there")
    }
  }
}
