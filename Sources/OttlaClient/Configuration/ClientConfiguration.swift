/// What producers, consumers and administrators have in common. Use it through one of theirs.
///
/// ```swift
/// /// What all clients of this program share.
/// func connect(_ configuration: inout some ClientConfiguration) {
///   configuration.bootstrapServers = "broker-1:9093,broker-2:9093"
///   configuration.clientId = "billing"
///   configuration.security = .tls(TLS(caLocation: "/etc/ssl/cluster.pem"))
/// }
/// var producing = ProducerConfiguration(bootstrapServers: "")
/// var consuming = ConsumerConfiguration(bootstrapServers: "", groupId: "billing")
/// connect(&producing)
/// connect(&consuming)
/// ```
public protocol ClientConfiguration: Sendable {
  /// Where to find the cluster: `host:port`, several separated by commas (`bootstrap.servers`).
  var bootstrapServers: String { get set }
  /// The name under which brokers log this client and count its quotas (`client.id`).
  var clientId: String { get set }
  /// Encryption and login (`security.protocol`, `sasl.*`, `ssl.*`).
  var security: Security { get set }
}

/// What every librdkafka client is given beside its own properties.
extension ClientConfiguration {
  func common() -> PropertyList {
    var list = PropertyList()
    list.set("log.connection.close", false)
    list.set("client.id", clientId)
    security.add(to: &list)
    return list
  }

  /// The properties that come last: what was set by name, and where the brokers are.
  func finish(_ list: inout PropertyList, _ other: [String: String]) throws(ClientError) {
    guard !bootstrapServers.isEmpty else {
      throw .invalidValue(property: "bootstrap.servers", value: "", reason: "name one broker at least, as host:port")
    }
    list.set("bootstrap.servers", bootstrapServers)
    try list.merge(other)
  }
}
