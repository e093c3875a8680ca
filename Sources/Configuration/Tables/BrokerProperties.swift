/// A row of the broker table.
package typealias BrokerProperty = Property<BrokerConfig>

/// The table of broker properties: every one that Kafka 4.0 knows, and our own.
package enum BrokerProperties {
  /// All rows, by name.
  package static let all: [BrokerProperty] = groups.flatMap(\.rows).sorted { $0.name < $1.name }

  /// The rows by subject, for the manual.
  static let groups: [(title: String, rows: [BrokerProperty])] = [
    ("The broker and its listeners", ListenerProperties.rows),
    ("Connections and requests", ConnectionProperties.rows),
    ("Topics", TopicDefaultProperties.topics),
    ("Logs", LogProperties.rows + TopicDefaultProperties.logs),
    ("Replication", ReplicationProperties.rows),
    ("Consumer groups", GroupProperties.classic),
    ("Groups of the newer protocols", GroupProperties.newer),
    ("Transactions", TransactionProperties.rows),
    ("Limits of our own", OwnProperties.rows),
    ("ZooKeeper", ZooKeeperProperties.rows),
    ("Cluster metadata", QuorumProperties.rows),
    ("Compaction", CleanerProperties.rows),
    ("Tiered storage", RemoteStorageProperties.rows),
    ("Authentication and authorization", SecurityProperties.rows + SaslProperties.rows),
    ("TLS", TLSProperties.rows),
    ("Quotas, metrics and threads", MetricProperties.rows),
  ]

  private static let byName: [String: BrokerProperty] = Dictionary(
    uniqueKeysWithValues: all.map { ($0.name, $0) })

  /// The row of the property `name`; nil for a name that neither Kafka nor we know.
  package static func row(_ name: String) -> BrokerProperty? { byName[name] }
}
