internal import Client
internal import KafkaProtocol

/// Whose configuration is meant.
///
/// ```swift
/// try await admin.alterConfigs(.topic("orders"), set: ["retention.ms": "86400000"], delete: ["retention.bytes"])
/// let broker: ConfigResource = .broker(1)
/// for entry in try await admin.describeConfigs(broker) where entry.source == .staticBroker {
///   print(entry.name, entry.value ?? "-")
/// }
/// ```
public enum ConfigResource: Hashable, Sendable {
  /// A topic's, by name.
  case topic(String)
  /// A broker's, by id.
  case broker(Int32)

  var wire: Client.ConfigResource {
    switch self {
    case .topic(let name): .topic(name)
    case .broker(let id): .broker(id)
    }
  }
}

/// A property with its present value.
///
/// ```swift
/// for entry in try await admin.describeConfigs(.broker(1)) where entry.source != .default {
///   let value = entry.isSensitive ? "(secret)" : entry.value ?? "(not set)"
///   print(entry.name, value, entry.isReadOnly ? "needs a restart to change" : "can be changed now")
/// }
/// ```
public struct ConfigEntry: Hashable, Sendable {
  /// Where a value comes from.
  ///
  /// ```swift
  /// /// Where to go in order to change it.
  /// func place(_ source: ConfigEntry.Source) -> String {
  ///   switch source {
  ///   case .topic: "alterConfigs of the topic"
  ///   case .dynamicBroker: "alterConfigs of the broker"
  ///   case .dynamicDefaultBroker: "the setting for all brokers"
  ///   case .staticBroker: "the broker's file"
  ///   case .default: "any of these, for nothing is set yet"
  ///   case .unknown: "the manual of this broker"
  ///   }
  /// }
  /// ```
  public enum Source: Int8, Sendable {
    /// The broker tells a source that this client does not know.
    case unknown = 0
    /// Set for this topic.
    case topic = 1
    /// Set for this broker while it runs.
    case dynamicBroker = 2
    /// Set for all brokers while they run.
    case dynamicDefaultBroker = 3
    /// In the broker's file, or on its command line.
    case staticBroker = 4
    /// What holds where nothing is set.
    case `default` = 5
  }
  /// The property's name.
  public let name: String
  /// Its value; nil for one that is not set, or secret.
  public let value: String?
  /// Where the value comes from.
  public let source: Source
  /// Whether it cannot be changed while the broker runs.
  public let isReadOnly: Bool
  /// Whether its value is not shown.
  public let isSensitive: Bool
}

extension AdminClient {
  /// All properties of a topic or broker with their present values, by name.
  ///
  /// ```swift
  /// for entry in try await admin.describeConfigs(.topic("orders")) where entry.source == .topic {
  ///   print(entry.name, entry.value ?? "-")
  /// }
  /// ```
  ///
  /// - Throws: `.unknownTopic`, `.refused`.
  public func describeConfigs(_ resource: ConfigResource) async throws(ClientError) -> [ConfigEntry] {
    let answer = try await ask { (client) throws(Client.ClientError) in try client.describeConfigs(resource.wire) }
    return answer.map { entry in
      ConfigEntry(
        name: entry.name, value: entry.value, source: ConfigEntry.Source(rawValue: entry.configSource) ?? .unknown,
        isReadOnly: entry.readOnly, isSensitive: entry.isSensitive)
    }
  }

  /// Sets some properties, and sets others back to their defaults; the rest stay as they are (KIP-339).
  ///
  /// ```swift
  /// try await admin.alterConfigs(.topic("orders"), set: ["retention.ms": "3600000"])
  /// ```
  ///
  /// - Throws: `.refused` with code 40 (`INVALID_CONFIG`) and what is allowed.
  public func alterConfigs(
    _ resource: ConfigResource, set: [String: String] = [:], delete: [String] = []
  ) async throws(ClientError) {
    let changes = set.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    try await ask { (client) throws(Client.ClientError) in
      try client.alterConfigs(resource.wire, set: changes, delete: delete)
    }
  }
}
