import Configuration
import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

private typealias Answer = (code: ErrorCode, message: String?)

private func alter(
  _ cluster: inout TestCluster, type: Int8 = 2, _ name: String, _ configs: [(String, String?)],
  validateOnly: Bool = false, times: Int = 1
) throws -> [Answer] {
  let resource = AlterConfigsRequest.AlterConfigsResource(
    resourceType: type, resourceName: name,
    configs: configs.map { AlterConfigsRequest.AlterableConfig(name: $0.0, value: $0.1) })
  let request = AlterConfigsRequest(
    resources: Array(repeating: resource, count: times), validateOnly: validateOnly)
  guard case .alterConfigs(let response) = try cluster.run(.alterConfigs(request)) else { throw UnexpectedReply() }
  return response.responses.map { ($0.errorCode, $0.errorMessage) }
}

private let set: Int8 = 0
private let remove: Int8 = 1
private let append: Int8 = 2
private let subtract: Int8 = 3

private func change(
  _ cluster: inout TestCluster, type: Int8 = 2, _ name: String, _ configs: [(String, Int8, String?)],
  validateOnly: Bool = false
) throws -> Answer {
  let request = IncrementalAlterConfigsRequest(
    resources: [
      IncrementalAlterConfigsRequest.AlterConfigsResource(
        resourceType: type, resourceName: name,
        configs: configs.map {
          IncrementalAlterConfigsRequest.AlterableConfig(name: $0.0, configOperation: $0.1, value: $0.2)
        })
    ], validateOnly: validateOnly)
  guard case .incrementalAlterConfigs(let response) = try cluster.run(.incrementalAlterConfigs(request)) else {
    throw UnexpectedReply()
  }
  let answer = try #require(response.responses.first)
  #expect(answer.resourceType == type && answer.resourceName == name)
  return (answer.errorCode, answer.errorMessage)
}

@Suite struct ControllerAlterConfigsTests {
  @Test func theOlderRequestReplacesEverything() throws {
    var cluster = try TestCluster()
    try cluster.create("a", configs: [("retention.ms", "1"), ("segment.bytes", "1048576")])
    let answers = try alter(&cluster, "a", [("retention.ms", "2"), ("flush.ms", "3")])
    #expect(answers.map(\.code) == [.none])
    #expect(cluster.image.topic(named: "a")?.configs == ["retention.ms": "2", "flush.ms": "3"])
    #expect(cluster.image.configs(for: .topic("a")) == ["retention.ms": "2", "flush.ms": "3"])
    #expect(try alter(&cluster, "a", []).map(\.code) == [.none])
    #expect(cluster.image.configs(for: .topic("a")).isEmpty)
  }

  @Test func theNewerRequestChangesOne() throws {
    var cluster = try TestCluster()
    try cluster.create("a", configs: [("retention.ms", "1"), ("flush.ms", "3")])
    #expect(try change(&cluster, "a", [("retention.ms", set, "2"), ("flush.ms", remove, nil)]).code == .none)
    #expect(cluster.image.configs(for: .topic("a")) == ["retention.ms": "2"])
    let before = cluster.log.count
    #expect(try change(&cluster, "a", [("retention.ms", set, "2"), ("flush.ms", remove, nil)]).code == .none)
    #expect(try change(&cluster, "a", [("retention.ms", set, "5")], validateOnly: true).code == .none)
    #expect(cluster.log.count == before)
  }

  /// An append to what nobody set counts from the value in force.
  @Test func listsAreAppendedToAndSubtractedFrom() throws {
    var cluster = try TestCluster()
    try cluster.create("a")
    #expect(try change(&cluster, "a", [("cleanup.policy", append, "compact")]).code == .none)
    #expect(cluster.image.configs(for: .topic("a")) == ["cleanup.policy": "delete,compact"])
    #expect(try change(&cluster, "a", [("cleanup.policy", subtract, "delete, other")]).code == .none)
    #expect(cluster.image.configs(for: .topic("a")) == ["cleanup.policy": "compact"])
    #expect(try change(&cluster, "a", [("cleanup.policy", append, "compact")]).code == .none)
    #expect(cluster.image.configs(for: .topic("a")) == ["cleanup.policy": "compact"])
    #expect(try change(&cluster, "a", [("cleanup.policy", append, "shred")]).code == .invalidConfig)
  }

  @Test func whatCannotBeChangedIsRefused() throws {
    var cluster = try TestCluster()
    try cluster.create("a")
    let before = cluster.log.count
    let cases: [(Int8, String, [(String, Int8, String?)], ErrorCode)] = [
      (2, "nope", [("retention.ms", set, "1")], .unknownTopicOrPartition),
      (2, "", [("retention.ms", set, "1")], .invalidRequest),
      (2, "a", [("retention.ms", set, "soon")], .invalidConfig),
      (2, "a", [("no.such.config", set, "1")], .invalidConfig),
      (2, "a", [("retention.ms", set, nil)], .invalidRequest),
      (2, "a", [("retention.ms", 9, "1")], .invalidRequest),
      (2, "a", [("retention.ms", append, "1")], .invalidConfig),
      (2, "a", [("retention.ms", set, "1"), ("retention.ms", set, "2")], .invalidRequest),
      (2, "a", [("min.compaction.lag.ms", set, "9"), ("max.compaction.lag.ms", set, "8")], .invalidConfig),
      (
        2, "a", [("follower.replication.throttled.replicas", set, String(repeating: "*", count: 70_000))],
        .invalidConfig
      ),
      (4, "1", [("num.partitions", set, "5")], .invalidRequest),
      (4, "1", [("log.cleaner.threads", set, "none")], .invalidConfig),
      (4, "7", [("log.cleaner.threads", set, "2")], .invalidRequest),
      (4, "01", [("log.cleaner.threads", set, "2")], .invalidRequest),
      (4, "x", [("log.cleaner.threads", set, "2")], .invalidRequest),
      (8, "1", [("root", set, "INFO")], .invalidRequest), (77, "1", [], .invalidRequest),
    ]
    for (type, name, configs, code) in cases {
      let answer = try change(&cluster, type: type, name, configs)
      #expect(answer.code == code, "\(name) \(configs): \(answer.message ?? "")")
      #expect(answer.message?.isEmpty == false)
    }
    #expect(try alter(&cluster, "a", [("retention.ms", nil)]).map(\.code) == [.invalidRequest])
    #expect(try alter(&cluster, "a", [("flush.ms", "1"), ("flush.ms", "1")]).map(\.code) == [.invalidRequest])
    #expect(try alter(&cluster, "a", [("flush.ms", "1")], times: 2).map(\.code) == [.invalidRequest])
    #expect(cluster.log.count == before)
  }

  /// What is set for all brokers, and for this one, stands behind the topics.
  @Test func brokerConfigsReachTheTopics() throws {
    var cluster = try TestCluster()
    #expect(try change(&cluster, type: 4, "", [("log.retention.ms", set, "77")]).code == .none)
    #expect(cluster.image.configs(for: .brokerDefault) == ["log.retention.ms": "77"])
    let made = try cluster.create("a")
    let retention = try #require(made.configs?.first { $0.name == "retention.ms" })
    #expect(retention.value == "77" && retention.configSource == 3)
    #expect(try change(&cluster, type: 4, "", [("log.retention.ms", remove, nil)]).code == .none)
    #expect(cluster.image.configs(for: .brokerDefault).isEmpty)
  }
}
