package import Primitives

/// What kind of thing a dynamic config belongs to, as numbered on the wire (Kafka's `ConfigResource.Type`).
package enum ConfigResourceType: Int8, Sendable, CaseIterable {
  case topic = 2
  case broker = 4
  case brokerLogger = 8
  case clientMetrics = 16
  case group = 32
}

/// The owner of dynamic configs: a topic, a broker, or all brokers (a broker resource with an empty name).
package struct ConfigResource: Hashable, Comparable, Sendable {
  /// What kind of thing it is.
  package let type: ConfigResourceType
  /// A topic's name or a broker's id; empty for all brokers.
  package let name: String
  package init(type: ConfigResourceType, name: String) {
    self.type = type
    self.name = name
  }

  /// The configs of the topic `name`.
  package static func topic(_ name: String) -> ConfigResource { ConfigResource(type: .topic, name: name) }

  /// The configs of one broker.
  package static func broker(_ id: BrokerID) -> ConfigResource {
    ConfigResource(type: .broker, name: String(id.value))
  }

  /// The configs that hold for every broker that has no value of its own.
  package static let brokerDefault = ConfigResource(type: .broker, name: "")

  /// By type, then by name.
  package static func < (left: ConfigResource, right: ConfigResource) -> Bool {
    left.type == right.type ? left.name < right.name : left.type.rawValue < right.type.rawValue
  }
}
