/// An address that clients use: one entry of `listeners` or `advertised.listeners`.
package struct ListenerConfig: Sendable, Hashable {
  /// The name, in capitals: `PLAINTEXT`, `INTERNAL`, ...
  package let name: String
  /// A host name or address; 0.0.0.0 for all interfaces. An IPv6 address stands without its brackets.
  package let host: String
  /// The TCP port; 0 lets the system choose one (only in `listeners`).
  package let port: UInt16
  package let securityProtocol: SecurityProtocol

  package init(name: String, host: String, port: UInt16, securityProtocol: SecurityProtocol) {
    self.name = name
    self.host = host
    self.port = port
    self.securityProtocol = securityProtocol
  }

  /// As it is written in the configuration: `NAME://host:port`.
  package var text: String {
    "\(name)://" + (host.contains(":") ? "[\(host)]" : host) + ":\(port)"
  }
}

/// How a listener's connections are protected; the raw value is Kafka's number of it.
package enum SecurityProtocol: Int16, Sendable, CaseIterable {
  case plaintext = 0
  case ssl = 1
  case saslPlaintext = 2
  case saslSsl = 3

  /// Kafka's word for it.
  package var name: String {
    switch self {
    case .plaintext: "PLAINTEXT"
    case .ssl: "SSL"
    case .saslPlaintext: "SASL_PLAINTEXT"
    case .saslSsl: "SASL_SSL"
    }
  }

  /// The protocol that `name` names, in whatever case.
  package init?(name: String) {
    guard let found = Self.allCases.first(where: { $0.name == name.uppercased() }) else { return nil }
    self = found
  }
}
