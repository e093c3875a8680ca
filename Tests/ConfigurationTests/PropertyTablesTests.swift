import Testing

@testable import Configuration

@Suite("The property tables")
struct PropertyTablesTests {
  @Test("know every broker property of Kafka with its type, way of change and secrecy")
  func brokerFacts() {
    let facts = KafkaFacts.rows(KafkaFacts.broker)
    #expect(facts.count > 250)
    for fact in facts {
      guard let row = BrokerProperties.row(fact[0]) else {
        Issue.record("\(fact[0]) is not known")
        continue
      }
      #expect(row.type.name == fact[1], "\(row.name)")
      #expect((row.update == .readOnly) == (fact[3] == "static"), "\(row.name)")
      #expect(row.isSensitive == (fact.count > 4 && fact[4] == "sensitive"), "\(row.name)")
    }
  }

  @Test("have Kafka's defaults, or say which Kafka has")
  func brokerDefaults() {
    for fact in KafkaFacts.rows(KafkaFacts.broker) where !fact[2].hasPrefix("(") {
      guard let row = BrokerProperties.row(fact[0]), row.kafkaDefault == nil else { continue }
      #expect(row.defaultValue ?? "None" == fact[2], "\(row.name)")
    }
    let different = BrokerProperties.all.filter { $0.kafkaDefault != nil }.map(\.name)
    #expect(
      different == [
        "broker.id", "group.max.size", "listeners", "log.dir", "log.dirs", "max.connections", "max.connections.per.ip",
        "node.id", "queued.max.request.bytes",
      ])
  }

  @Test("know every topic property of Kafka with its type, default, and the broker property behind it")
  func topicFacts() {
    let facts = KafkaFacts.rows(KafkaFacts.topic)
    let kafkas = TopicProperties.all.filter { $0.name != "durability" }
    #expect(facts.map { $0[0] } == kafkas.map(\.name))
    for (fact, row) in zip(facts, kafkas) {
      #expect(row.type.name == fact[1], "\(row.name)")
      #expect(row.defaultValue == fact[2], "\(row.name)")
      if !fact[3].isEmpty { #expect(row.behind.first?.name == fact[3]) }
    }
  }

  @Test("have sound rows: names once, defaults allowed, a sentence for people, brokers behind topics alike")
  func soundness() {
    #expect(Set(BrokerProperties.all.map(\.name)).count == BrokerProperties.all.count)
    for row in BrokerProperties.all {
      if let text = row.defaultValue { #expect(row.parse(text) != nil, "\(row.name)") }
      #expect(row.documentation.hasSuffix(".") && !row.documentation.contains("|"), "\(row.name)")
    }
    let defaults = BrokerConfig()
    for row in TopicProperties.all {
      #expect(row.documentation.hasSuffix(".") && !row.documentation.contains("|"), "\(row.name)")
      #expect(row.behind.allSatisfy { BrokerProperties.row($0.name) != nil }, "\(row.name)")
      #expect(defaults.textBehind(row) == row.defaultValue, "\(row.name)")
    }
  }

  @Test("keep compression levels and min.insync.replicas, and only echo what nothing acts on")
  func effects() {
    func effect(_ name: String) -> PropertyEffect? { TopicProperties.row(name)?.effect }
    let echoed = ["remote.storage.enable"]
    for name in echoed { #expect(effect(name) == .echoed, "\(name)") }
    let kept = [
      "compression.gzip.level", "compression.lz4.level", "compression.zstd.level", "durability",
      "flush.messages", "flush.ms", "min.insync.replicas", "retention.ms",
      "unclean.leader.election.enable",
    ]
    for name in kept { #expect(effect(name) == .kept, "\(name)") }
    // A broker property that only stands behind topic properties does as much as they do.
    for row in TopicProperties.all {
      for behind in row.behind { #expect(BrokerProperties.row(behind.name)?.effect == row.effect, "\(behind.name)") }
    }
    let echoedByBrokers = [
      "num.replica.fetchers", "log.flush.start.offset.checkpoint.interval.ms",
      "replica.high.watermark.checkpoint.interval.ms",
    ]
    for name in echoedByBrokers { #expect(BrokerProperties.row(name)?.effect == .echoed, "\(name)") }
  }

  @Test(
    "read values by type and range, and nothing else",
    arguments: [
      ("retention.ms", "-1", true), ("retention.ms", "-2", false), ("retention.ms", "1e3", false),
      ("retention.ms", " 1000 ", true), ("retention.ms", "", false), ("retention.ms", "9223372036854775808", false),
      ("segment.bytes", "2147483648", false), ("segment.bytes", "13", false), ("segment.bytes", "14", true),
      ("cleanup.policy", "compact,delete", true), ("cleanup.policy", "compact, delete", true),
      ("cleanup.policy", "", false), ("cleanup.policy", "compact,compact", false), ("cleanup.policy", "erase", false),
      ("compression.type", "zstd", true), ("compression.type", "ZSTD", false), ("compression.gzip.level", "0", false),
      ("compression.gzip.level", "-1", true), ("preallocate", "TRUE", true), ("preallocate", "yes", false),
      ("min.cleanable.dirty.ratio", "1.01", false), ("min.cleanable.dirty.ratio", "nan", false),
      ("min.cleanable.dirty.ratio", "0.25", true), ("message.timestamp.type", "LogAppendTime", true),
      ("leader.replication.throttled.replicas", "*", true), ("leader.replication.throttled.replicas", "0:1,2:3", true),
      ("leader.replication.throttled.replicas", "0", false), ("leader.replication.throttled.replicas", "a:b", false),
    ])
  func parsing(name: String, value: String, fits: Bool) throws {
    #expect((try #require(TopicProperties.row(name)).parse(value) != nil) == fits)
  }
}
