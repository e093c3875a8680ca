internal import Configuration
internal import Observability

/// The configuration of an embedded broker: Kafka's defaults, but for what a test would wait for, then what the test says.
struct EmbeddedProperties: Sendable {
  let id: Int
  let brokerCount: Int
  let given: [String: String]

  /// What is the embedded broker's own business.
  static let own: Set<String> = [
    "node.id", "broker.id", "listeners", "advertised.listeners", "log.dir", "log.dirs", "zookeeper.connect",
    "controller.listener.names", "process.roles",
  ]

  /// Other defaults than Kafka's.
  static func defaults(brokerCount: Int) -> [String: String] {
    let replicas = "\(min(3, brokerCount))"
    return [
      // One event loop a broker: a test has many brokers, and few records.
      "ottla.shards": "1", "ottla.flush.threads": "1", "ottla.scrub.interval.hours": "0",
      // Clients connect and stay, however far the clock is moved.
      "connections.max.idle.ms": "-1",
      // What would be waited for.
      "group.initial.rebalance.delay.ms": "0", "log.retention.check.interval.ms": "1000",
      "controlled.shutdown.retry.backoff.ms": "300",
      // As many replicas as there can be, and no 50 partitions for a group or two.
      "offsets.topic.num.partitions": "1", "offsets.topic.replication.factor": replicas,
      "default.replication.factor": replicas,
      "zookeeper.session.timeout.ms": "6000",
    ]
  }

  /// - Parameter port: 0 for a free one.
  func load(folder: String, port: UInt16, _ logger: Logger) throws(EmbeddedBrokerError) -> BrokerConfig {
    let refused = given.keys.filter(Self.own.contains).sorted()
    guard refused.isEmpty else {
      throw .badProperties("\(refused.joined(separator: ", ")): the embedded broker sets that itself")
    }
    var values = Self.defaults(brokerCount: brokerCount).merging(given) { $1 }
    values["node.id"] = "\(id)"
    values["listeners"] = "PLAINTEXT://127.0.0.1:\(port)"
    values["log.dirs"] = folder
    if brokerCount > 1 { values["zookeeper.connect"] = "embedded:2181" }
    let settings = values.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    do throws(ConfigurationError) {
      let loaded = try ConfigurationSources(settings: settings).load()
      for warning in loaded.warnings { logger.warning("\(warning)") }
      return loaded.config
    } catch {
      let lines = error.badValues.map { "\($0.name)=\($0.value): must be \($0.allowed)" }
      throw .badProperties(lines.joined(separator: "\n"))
    }
  }
}
