internal import Configuration
internal import Primitives

/// What the configs of a resource must keep to.
struct ConfigRules {
  let config: BrokerConfig
  let limits: ControllerLimits

  /// - Throws: INVALID_CONFIG that names the property, the value and what is allowed; INVALID_REQUEST for a broker config
  ///   that is read-only.
  func validate(
    _ wanted: [String: String], changedFrom current: [String: String] = [:], of type: ConfigResourceType,
    perBroker: Bool = false
  ) throws(KafkaError) {
    for name in wanted.keys.sorted() {
      guard let value = wanted[name], value != current[name] else { continue }
      try validateSize(name: name, value: value)
      if type == .broker { try config.validateDynamic(name, value, perBroker: perBroker) }
    }
    if type == .topic { try TopicConfigValidator.validate(overrides: wanted, broker: config) }
  }

  private func validateSize(name: String, value: String) throws(KafkaError) {
    if name.utf8.count > TopicName.byteCountMax {
      throw KafkaError(.invalidConfig, "Unknown config name: \(excerpt(of: name))...")
    }
    let byteCount = value.utf8.count
    if byteCount > limits.configValueBytesMax {
      throw KafkaError(
        .invalidConfig,
        "The value of \(name) has \(byteCount) bytes; at most \(limits.configValueBytesMax) are allowed.")
    }
  }
}

/// The beginning of a name that a client sent, for error messages: they must fit where the name did.
func excerpt(of name: String) -> String {
  String(decoding: name.utf8.prefix(TopicName.byteCountMax), as: UTF8.self)
}
