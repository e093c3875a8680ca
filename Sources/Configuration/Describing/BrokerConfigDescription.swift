// DescribeConfigs, derived from the tables (Kafka's `ConfigHelper`).

extension BrokerConfig {
  /// Every topic property with the value in force for a topic that sets `topicOverrides` itself, by name.
  package func describe(topicOverrides: [String: String]) -> [ConfigDescription] {
    TopicProperties.all.map { describe($0, override: topicOverrides[$0.name]) }
  }

  /// Every broker property with the value in force, by name.
  package func describe() -> [ConfigDescription] {
    BrokerProperties.all.map { row in
      let given = synonyms(row)
      let value = row.name == "log.dirs" ? logDirs.joined(separator: ",") : given.first?.value
      return ConfigDescription(row, value: value, isReadOnly: row.update == .readOnly, synonyms: given)
    }
  }

  /// The properties that are set at run time for all brokers, by name: what is told of the broker "".
  package func describeDynamicDefaults() -> [ConfigDescription] {
    BrokerProperties.all.compactMap { row in
      guard let text = layers.dynamicDefault[row.name] else { return nil }
      let value = row.parse(text)?.text ?? text
      let synonym = ConfigDescription.Synonym(name: row.name, value: value, source: .dynamicDefaultBroker)
      return ConfigDescription(row, value: value, isReadOnly: false, synonyms: [synonym])
    }
  }

  private func describe(_ row: TopicProperty, override: String?) -> ConfigDescription {
    let own = override.flatMap(row.parse).map {
      ConfigDescription.Synonym(name: row.name, value: $0.text, source: .topic)
    }
    let behind = row.behind.compactMap { BrokerProperties.row($0.name) }.flatMap(synonyms)
    // Values that somebody set come before defaults, whatever their name: log.retention.hours of the file counts more
    // than the default of log.retention.minutes.
    let given = behind.filter { $0.source != .default } + behind.filter { $0.source == .default }
    let value = own?.value ?? textBehind(row)
    return ConfigDescription(row, value: value, isReadOnly: false, synonyms: (own.map { [$0] } ?? []) + given)
  }

  /// The values given for a broker property, the one in force first, and its default.
  private func synonyms(_ row: BrokerProperty) -> [ConfigDescription.Synonym] {
    var given = layers.values(of: row.name).map { text, source in
      ConfigDescription.Synonym(name: row.name, value: row.parse(text)?.text ?? text, source: source)
    }
    if let text = row.defaultValue {
      given.append(ConfigDescription.Synonym(name: row.name, value: text, source: .default))
    }
    return given
  }
}
