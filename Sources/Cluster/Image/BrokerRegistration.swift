package import Primitives

/// An address at which a broker takes connections.
package struct BrokerEndpoint: Hashable, Sendable {
  /// The listener's name, such as `PLAINTEXT`.
  package let name: String
  /// The name or address that clients are told.
  package let host: String
  /// The port that clients are told.
  package let port: Int32
  /// The wire number of the security protocol: 0 plaintext, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL.
  package let securityProtocol: Int16
  package init(name: String, host: String, port: Int32, securityProtocol: Int16 = 0) {
    self.name = name
    self.host = host
    self.port = port
    self.securityProtocol = securityProtocol
  }
}

/// A broker that is part of the cluster.
package struct BrokerRegistration: Hashable, Sendable {
  /// `node.id`.
  package let id: BrokerID
  /// The offset of the registration in the metadata log: grows each time the broker starts (Kafka's broker epoch).
  /// The controller assigns it; -1 before.
  package let epoch: Int64
  /// `broker.rack`; nil where none is set.
  package let rack: String?
  /// One for each advertised listener.
  package let endpoints: [BrokerEndpoint]
  package init(id: BrokerID, epoch: Int64 = -1, rack: String?, endpoints: [BrokerEndpoint]) {
    self.id = id
    self.epoch = epoch
    self.rack = rack
    self.endpoints = endpoints
  }

  /// The address of the listener called `name`.
  package func endpoint(named name: String) -> BrokerEndpoint? {
    endpoints.first { $0.name == name }
  }
}
