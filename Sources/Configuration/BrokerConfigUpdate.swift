package import Primitives

// Changes at run time (Kafka's `DynamicBrokerConfig`).

extension BrokerConfig {
  /// The configuration with other values set at run time; those given at the start stay behind them.
  ///
  /// - Parameters:
  ///   - dynamicBroker: the values set for this broker.
  ///   - dynamicDefault: the values set for all brokers.
  ///
  /// The values were checked when they were set (`validateDynamic`). One that does not fit nevertheless is left out.
  package func applying(dynamicBroker: [String: String], dynamicDefault: [String: String]) -> BrokerConfig {
    var next = ConfigLayers()
    next.staticBroker = layers.staticBroker
    next.dynamicDefault = dynamicDefault.filter {
      Self.isDynamic($0.key, perBroker: false) && Self.fits($0.key, $0.value)
    }
    next.dynamicBroker = dynamicBroker.filter { Self.isDynamic($0.key, perBroker: true) && Self.fits($0.key, $0.value) }
    return BrokerConfig(trusting: next)
  }

  /// Checks a value that somebody wants to set at run time.
  ///
  /// - Parameter perBroker: true where it is for one broker, false where it is for all of them.
  ///
  /// Throws INVALID_REQUEST for a property that cannot be changed this way, INVALID_CONFIG for a value that does not fit
  /// and for a name that nobody knows.
  package func validateDynamic(_ name: String, _ value: String, perBroker: Bool) throws(KafkaError) {
    guard let row = BrokerProperties.row(name) else {
      throw KafkaError(.invalidConfig, "Unknown broker config name: \(name)")
    }
    guard row.update != .readOnly else {
      throw KafkaError(.invalidRequest, "Cannot update these configs dynamically: \(name)")
    }
    guard Self.isDynamic(name, perBroker: perBroker) else {
      throw KafkaError(
        .invalidRequest, "Cannot update these configs at default cluster level, broker id must be specified: \(name)")
    }
    guard row.parse(value) != nil else { throw row.refusal(of: value) }
    if Self.fixedAtStart.contains(name), value.trimmed != text(name) {
      throw KafkaError(.invalidRequest, "\(name) cannot be changed while the broker runs: not supported yet")
    }
    try checkTogether(name, value, row)
  }

  /// True for a property that holds a list: only these take APPEND and SUBTRACT.
  package static func isList(_ name: String) -> Bool { BrokerProperties.row(name)?.type == .list }

  /// Dynamic in Kafka, and shown so; here a value other than the present one waits for listeners that can be moved.
  static let fixedAtStart: Set<String> = ["listeners", "listener.security.protocol.map"]

  private static func isDynamic(_ name: String, perBroker: Bool) -> Bool {
    switch BrokerProperties.row(name)?.update {
    case .clusterWide?: true
    case .perBroker?: perBroker
    case .readOnly?, nil: false
    }
  }

  /// True where the value fits by itself.
  private static func fits(_ name: String, _ value: String) -> Bool {
    !fixedAtStart.contains(name) && BrokerProperties.row(name)?.parse(value) != nil
  }

  /// Checks the value against all others.
  private func checkTogether(_ name: String, _ value: String, _ row: BrokerProperty) throws(KafkaError) {
    var next = layers
    next.dynamicBroker[name] = value
    guard let complaint = Self.checking(next).complaints.first else { return }
    let subject = complaint.name == name ? "must be" : "\(complaint.name) must be"
    throw KafkaError(
      .invalidConfig,
      "Invalid value \(row.shown(value).prefix(200)) for configuration \(name): \(subject) \(complaint.allowed)")
  }
}
