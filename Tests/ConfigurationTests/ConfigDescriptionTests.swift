import Testing

@testable import Configuration

@Suite("DescribeConfigs")
struct ConfigDescriptionTests {
  private func described(_ name: String, in all: [ConfigDescription]) throws -> ConfigDescription {
    try #require(all.first { $0.name == name })
  }

  private func synonyms(_ description: ConfigDescription) -> [String] {
    description.synonyms.map { "\($0.name)=\($0.value ?? "null") \($0.source)" }
  }

  @Test("tells every property, sorted, with the values of the tables")
  func complete() {
    let config = BrokerConfig()
    #expect(config.describe(topicOverrides: [:]).map(\.name) == TopicProperties.all.map(\.name))
    #expect(config.describe().map(\.name) == BrokerProperties.all.map(\.name))
    for fact in KafkaFacts.rows(KafkaFacts.topic) {
      let told = config.describe(topicOverrides: [:]).first { $0.name == fact[0] }
      #expect(told?.value == fact[2])
      #expect(told?.isReadOnly == false)
      #expect(told?.source == .default)
    }
  }

  @Test("a topic's own value comes first, then the broker's values, the default last")
  func topicSynonyms() throws {
    let config = try loaded(["log.retention.hours": "2"])
      .applying(dynamicBroker: ["log.retention.ms": "30"], dynamicDefault: ["log.retention.ms": "20"])
    let own = try described("retention.ms", in: config.describe(topicOverrides: ["retention.ms": " 10 "]))
    #expect(own.value == "10")
    #expect(own.source == .topic)
    #expect(
      synonyms(own) == [
        "retention.ms=10 topic", "log.retention.ms=30 dynamicBroker", "log.retention.ms=20 dynamicDefaultBroker",
        "log.retention.hours=2 staticBroker", "log.retention.hours=168 default",
      ])
    let behind = try described("retention.ms", in: config.describe(topicOverrides: [:]))
    #expect(behind.value == "30")
    #expect(behind.source == .dynamicBroker)
  }

  @Test("the value told is the value in force, wherever it comes from")
  func toldIsInForce() throws {
    let config = try loaded(["log.retention.hours": "2", "log.roll.hours": "3"])
    for overrides in [[:], ["retention.ms": "9", "segment.ms": "8"]] {
      let told = config.describe(topicOverrides: overrides)
      let topic = config.topicConfig(overrides: overrides)
      #expect(try described("retention.ms", in: told).value == String(topic.retentionMs))
      #expect(try described("segment.ms", in: told).value == String(topic.segmentMs))
    }
    let hours = try described("retention.ms", in: config.describe(topicOverrides: [:]))
    #expect(hours.source == .staticBroker)
  }

  @Test("a broker's values: source, read-only as in Kafka, secrets null")
  func broker() throws {
    let config = try loaded(["num.partitions": "4", "ssl.key.password": "secret", "broker.id": "5"])
      .applying(dynamicBroker: [:], dynamicDefault: ["max.connections": "20"])
    let told = config.describe()
    let partitions = try described("num.partitions", in: told)
    #expect(partitions.value == "4" && partitions.source == .staticBroker && partitions.isReadOnly)
    #expect(synonyms(partitions) == ["num.partitions=4 staticBroker", "num.partitions=1 default"])
    #expect(partitions.type == .int && !partitions.documentation.isEmpty)
    let connections = try described("max.connections", in: told)
    #expect(connections.value == "20" && connections.source == .dynamicDefaultBroker && !connections.isReadOnly)
    let secret = try described("ssl.key.password", in: told)
    #expect(secret.value == nil && secret.isSensitive && secret.synonyms.allSatisfy { $0.value == nil })
    #expect(try described("node.id", in: told).value == "5")
    #expect(try described("broker.rack", in: told).value == nil)
    #expect(config.describeDynamicDefaults().map(\.name) == ["max.connections"])
  }

  @Test("the numbers of types and sources are the protocol's")
  func numbers() {
    #expect(ConfigType.allCases.map(\.rawValue) == Array(1...9))
    #expect(ConfigSource.allCases.map(\.rawValue) == Array(1...5))
    #expect(ConfigType.password.rawValue == 9 && ConfigType.list.rawValue == 7 && ConfigType.boolean.rawValue == 1)
  }
}
