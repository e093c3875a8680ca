import Primitives
import Testing

@testable import Configuration

@Suite("TopicConfigValidator")
struct TopicConfigValidatorTests {
  private func refusal(_ name: String, _ value: String) -> KafkaError? {
    do throws(KafkaError) {
      try TopicConfigValidator.validate(name: name, value: value)
      return nil
    } catch {
      return error
    }
  }

  @Test("accepts the default of every property")
  func defaults() {
    for row in TopicProperties.all {
      #expect(refusal(row.name, row.defaultValue ?? "") == nil, "\(row.name)")
    }
  }

  @Test("names the property, the value and what is allowed")
  func messages() {
    #expect(
      refusal("retention.ms", "soon")
        == KafkaError(.invalidConfig, "Invalid value soon for configuration retention.ms: must be a long, at least -1"))
    #expect(
      refusal("compression.type", "brotli")
        == KafkaError(
          .invalidConfig,
          "Invalid value brotli for configuration compression.type: "
            + "must be a string, one of uncompressed, zstd, lz4, snappy, gzip, producer"))
    #expect(
      refusal("retention.sm", "1") == KafkaError(.invalidConfig, "Unknown topic config name: retention.sm"))
    #expect((refusal("retention.ms", String(repeating: "x", count: 100_000))?.message?.utf8.count ?? 0) < 400)
  }

  @Test("looks at all of a topic's values together, with the broker's behind them")
  func together() throws {
    let broker = try loaded(["log.cleaner.max.compaction.lag.ms": "100"])
    #expect(throws: KafkaError.self) {
      try TopicConfigValidator.validate(overrides: ["min.compaction.lag.ms": "101"], broker: broker)
    }
    try TopicConfigValidator.validate(overrides: ["min.compaction.lag.ms": "100"], broker: broker)
    try TopicConfigValidator.validate(
      overrides: ["min.compaction.lag.ms": "101", "max.compaction.lag.ms": "101"], broker: broker)
  }

  @Test("knows the lists")
  func lists() {
    #expect(TopicConfigValidator.isList("cleanup.policy"))
    #expect(!TopicConfigValidator.isList("retention.ms"))
    #expect(!TopicConfigValidator.isList("unknown"))
    #expect(BrokerConfig.isList("log.cleanup.policy"))
  }
}

@Suite("BrokerConfig.validateDynamic")
struct BrokerConfigUpdateTests {
  private let config = BrokerConfig()

  private func code(_ name: String, _ value: String, perBroker: Bool = true) -> ErrorCode? {
    do throws(KafkaError) {
      try config.validateDynamic(name, value, perBroker: perBroker)
      return nil
    } catch {
      return error.code
    }
  }

  @Test("dynamic properties may change, others may not, bad values neither")
  func codes() {
    #expect(code("log.retention.ms", "1000") == nil)
    #expect(code("log.retention.ms", "1000", perBroker: false) == nil)
    #expect(code("log.retention.ms", "soon") == .invalidConfig)
    #expect(code("num.partitions", "3") == .invalidRequest)
    #expect(code("no.such.name", "3") == .invalidConfig)
    #expect(code("sasl.jaas.config", "x", perBroker: true) == nil)
    #expect(code("sasl.jaas.config", "x", perBroker: false) == .invalidRequest)
    #expect(code("max.connections.per.ip.overrides", "nonsense") == .invalidConfig)
    #expect(code("log.cleaner.min.compaction.lag.ms", "5") == nil)
  }

  @Test("listeners may only be set to what they are")
  func listeners() {
    #expect(code("listeners", "PLAINTEXT://127.0.0.1:9092") == nil)
    #expect(code("listeners", "PLAINTEXT://:9093") == .invalidRequest)
    #expect(config.applying(dynamicBroker: ["listeners": "PLAINTEXT://:1"], dynamicDefault: [:]) == config)
  }

  @Test("a value must go with the others")
  func together() throws {
    let config = try loaded(["log.cleaner.max.compaction.lag.ms": "100"])
    #expect(throws: KafkaError.self) {
      try config.validateDynamic("log.cleaner.min.compaction.lag.ms", "101", perBroker: false)
    }
  }
}
