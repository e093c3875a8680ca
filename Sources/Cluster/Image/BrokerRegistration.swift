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
  /// Grows each time the broker is registered (Kafka's broker epoch); -1 before.
  package let epoch: Int64
  /// `broker.rack`; nil where none is set.
  package let rack: String?
  /// One for each advertised listener.
  package let endpoints: [BrokerEndpoint]
  /// Another one for each start of the broker's process.
  package let incarnation: UUID
  /// Of its data folders: another one after they were lost or swapped.
  package let dataID: UUID
  /// It is not alive, as far as the controller knows: it leads nothing, and is in the ISR only of partitions that have no
  /// leader.
  package var isFenced: Bool
  /// It is about to stop: it gets no leadership and joins no ISR (KIP-841); it goes on leading what nobody else has in sync.
  package var isShuttingDown: Bool
  package init(
    id: BrokerID, epoch: Int64 = -1, rack: String?, endpoints: [BrokerEndpoint], incarnation: UUID = .zero,
    dataID: UUID = .zero, isFenced: Bool = false, isShuttingDown: Bool = false
  ) {
    self.id = id
    self.epoch = epoch
    self.rack = rack
    self.endpoints = endpoints
    self.incarnation = incarnation
    self.dataID = dataID
    self.isFenced = isFenced
    self.isShuttingDown = isShuttingDown
  }

  /// Whether it may lead partitions and be in sync.
  package var isActive: Bool { !isFenced && !isShuttingDown }

  /// The address of the listener called `name`.
  package func endpoint(named name: String) -> BrokerEndpoint? {
    endpoints.first { $0.name == name }
  }
}
