internal import CLibrdkafka

/// librdkafka's properties by name, in the order in which they are set; the last one of a name wins.
struct PropertyList {
  private(set) var entries: [(name: String, value: String)] = []

  mutating func set(_ name: String, _ value: String?) {
    if let value { entries.append((name, value)) }
  }

  mutating func set(_ name: String, _ value: Int?) { set(name, value.map(String.init)) }
  mutating func set(_ name: String, _ value: Bool) { set(name, value ? "true" : "false") }

  /// Properties on which what we promise rests, and why they are not for the caller to set.
  private static let ours: [String: String] = [
    "enable.auto.offset.store": "set enableAutoOffsetStore, which waits until a record is processed",
    "enable.partition.eof": "the consumer needs the ends of partitions itself",
    "go.delivery.reports": "it belongs to another language's client",
    "transactional.id": "transactions are not offered yet",
  ]

  /// Adds what the caller set by name, in the order of the names.
  mutating func merge(_ other: [String: String]) throws(ClientError) {
    for (name, value) in other.sorted(by: { $0.key < $1.key }) {
      if let reason = Self.ours[name] { throw .invalidValue(property: name, value: value, reason: reason) }
      set(name, value)
    }
  }

  /// librdkafka's configuration object with everything in it; the caller owns it until `makeHandle` took it.
  func makeConfiguration() throws(ClientError) -> OpaquePointer {
    guard let configuration = rd_kafka_conf_new() else { throw .illegalState(reason: "out of memory") }
    for (name, value) in entries {
      var reason = [CChar](repeating: 0, count: 512)
      let outcome = rd_kafka_conf_set(configuration, name, value, &reason, reason.count)
      if outcome == RD_KAFKA_CONF_OK { continue }
      rd_kafka_conf_destroy(configuration)
      if outcome == RD_KAFKA_CONF_UNKNOWN { throw .unknownProperty(name: name) }
      let isSecret = name.hasSuffix("password") || name.contains("secret") || name.hasSuffix(".pem")
      throw .invalidValue(property: name, value: isSecret ? "***" : value, reason: Self.text(reason))
    }
    return configuration
  }

  /// Makes the client of `configuration`, which is used up in any case.
  static func makeHandle(
    _ kind: rd_kafka_type_t, _ configuration: OpaquePointer
  ) throws(ClientError) -> OpaquePointer {
    var reason = [CChar](repeating: 0, count: 512)
    if let handle = rd_kafka_new(kind, configuration, &reason, reason.count) { return handle }
    rd_kafka_conf_destroy(configuration)
    throw .invalidValue(property: "configuration", value: "as a whole", reason: text(reason))
  }

  private static func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
