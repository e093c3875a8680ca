/// The values that were given at the start, with where they come from.
struct GivenValues {
  struct Value {
    /// The name under which it was given, where that is a synonym.
    let name: String
    let text: String
    let origin: ConfigurationOrigin
  }

  private(set) var values: [String: Value] = [:]

  /// A value stronger than all before it.
  mutating func set(_ name: String, _ text: String, _ origin: ConfigurationOrigin) {
    values[name] = Value(name: name, text: text, origin: origin)
  }

  /// Makes `node.id` and `broker.id` say the same: the one from the stronger place counts; from the same place they must
  /// agree.
  mutating func settleSynonyms() -> [BadValue] {
    switch (values["node.id"], values["broker.id"]) {
    case (let node?, let broker?):
      let (nodeRank, brokerRank) = (node.origin.rank, broker.origin.rank)
      if nodeRank == brokerRank, node.text.trimmed != broker.text.trimmed {
        return [
          BadValue(
            name: "broker.id", value: broker.text, allowed: "the same as node.id (\(node.text))",
            origin: broker.origin)
        ]
      }
      values[nodeRank >= brokerRank ? "broker.id" : "node.id"] = nodeRank >= brokerRank ? node : broker
    case (let node?, nil): values["broker.id"] = node
    case (nil, let broker?): values["node.id"] = broker
    case (nil, nil): break
    }
    return []
  }

  /// A complaint with the value that it is about and where that was given.
  func badValue(_ complaint: PropertyComplaint, in config: BrokerConfig) -> BadValue {
    let value = values[complaint.name]
    let text = value?.text ?? config.text(complaint.name)
    return BadValue(
      name: value?.name ?? complaint.name, value: BrokerProperties.row(complaint.name)?.shown(text) ?? text,
      allowed: complaint.allowed, origin: value?.origin ?? .default)
  }

  /// What the owner of these values should know, by name.
  var warnings: [ConfigurationWarning] {
    values.sorted { $0.key < $1.key }.compactMap { name, value in
      if let row = BrokerProperties.row(name) {
        let isDefault = value.text.trimmed == (row.defaultValue ?? "")
        return row.effect == .echoed && !isDefault ? .withoutEffect(name, value.origin) : nil
      }
      let isOfKafka = Self.kafkaPrefixes.contains(where: name.hasPrefix)
      return isOfKafka ? .withoutEffect(name, value.origin) : .unknownName(name, value.origin)
    }
  }

  /// Names that Kafka makes of other names: overrides of single listeners, and what it hands on to plugins.
  private static let kafkaPrefixes = ["listener.name.", "rlmm.config.", "rsm.config."]
}

extension ConfigurationOrigin {
  /// The stronger place has the higher rank.
  fileprivate var rank: Int {
    switch self {
    case .default: 0
    case .file: 1
    case .environment: 2
    case .setting: 3
    case .flag: 4
    }
  }
}
