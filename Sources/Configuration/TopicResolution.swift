// How a topic's configuration comes from its own values and the broker's behind them.

extension BrokerConfig {
  /// The configuration in force of a topic that sets `overrides` itself.
  ///
  /// Overrides were checked when they were set (`TopicConfigValidator`); one that does not fit nevertheless, or that is
  /// not known, gives way to the broker's value.
  package func topicConfig(overrides: [String: String]) -> TopicConfig {
    var config = topicDefaults
    for (name, text) in overrides {
      guard let row = TopicProperties.row(name), let value = row.parse(text) else { continue }
      row.assign(&config, value)
    }
    return config
  }

  mutating func assembleTopicDefaults() {
    var defaults = TopicConfig()
    for row in TopicProperties.all {
      row.assign(&defaults, row.parse(textBehind(row) ?? ""))
    }
    topicDefaults = defaults
  }

  /// The broker's value behind a topic property, in the topic property's unit; nil for a property without a default.
  func textBehind(_ row: TopicProperty) -> String? {
    for behind in row.behind {
      guard let property = BrokerProperties.row(behind.name) else { continue }
      let set = layers.text(of: behind.name).flatMap { property.parse($0) }
      guard let value = set ?? property.defaultValue.flatMap({ property.parse($0) }) else { continue }
      return behind.inTopicUnit(value)
    }
    return row.defaultValue
  }
}

extension PropertyBehind {
  /// A broker property's value in the topic property's unit; more than the largest number is the largest number.
  func inTopicUnit(_ value: ConfigValue) -> String {
    guard scale != 1, let integer = value.integer else { return value.text }
    guard integer >= 0 else { return "-1" }
    let (product, overflow) = integer.multipliedReportingOverflow(by: scale)
    return String(overflow ? Int64.max : product)
  }
}
