package import Primitives

/// Checks topic properties before they are stored (Kafka's `LogConfig.validate`).
package enum TopicConfigValidator {
  /// Checks one property by itself.
  ///
  /// Throws INVALID_CONFIG, with the property, the value and what is allowed.
  package static func validate(name: String, value: String) throws(KafkaError) {
    guard let row = TopicProperties.row(name) else {
      throw KafkaError(.invalidConfig, "Unknown topic config name: \(name)")
    }
    guard row.parse(value) != nil else { throw row.refusal(of: value) }
  }

  /// Checks all properties that a topic is to have, each by itself and against the broker's values beside them.
  ///
  /// Throws INVALID_CONFIG for the first that is wrong, by name.
  package static func validate(overrides: [String: String], broker: BrokerConfig) throws(KafkaError) {
    for (name, value) in overrides.sorted(by: { $0.key < $1.key }) {
      try validate(name: name, value: value)
    }
    let topic = broker.topicConfig(overrides: overrides)
    if topic.minCompactionLagMs > topic.maxCompactionLagMs {
      throw KafkaError(
        .invalidConfig,
        "Invalid value \(topic.minCompactionLagMs) for configuration min.compaction.lag.ms: "
          + "must be at most max.compaction.lag.ms (\(topic.maxCompactionLagMs))")
    }
  }

  /// True for a property that holds a list: only these take APPEND and SUBTRACT.
  package static func isList(_ name: String) -> Bool { TopicProperties.row(name)?.type == .list }
}

extension Property {
  /// The answer to a value that does not fit.
  func refusal(of value: String) -> KafkaError {
    // What a client sent may be long; the answer need not be.
    let shown = shown(value).prefix(200)
    return KafkaError(.invalidConfig, "Invalid value \(shown) for configuration \(name): must be \(allowedDescription)")
  }
}
