/// The type of a property's value; the raw value is the one DescribeConfigs carries (Kafka's `ConfigDef.Type`).
package enum ConfigType: Int8, Sendable, CaseIterable {
  case boolean = 1
  case string = 2
  case int = 3
  case short = 4
  case long = 5
  case double = 6
  case list = 7
  case `class` = 8
  /// A secret: never shown, whoever asks.
  case password = 9

  /// The word for people: `int`, `list`, ...
  package var name: String {
    switch self {
    case .boolean: "boolean"
    case .string: "string"
    case .int: "int"
    case .short: "short"
    case .long: "long"
    case .double: "double"
    case .list: "list"
    case .class: "class"
    case .password: "password"
    }
  }
}

/// Where a value that is in force comes from; the raw value is the one DescribeConfigs carries (Kafka's `ConfigSource`).
package enum ConfigSource: Int8, Sendable, CaseIterable {
  /// Set on the topic itself.
  case topic = 1
  /// Set at run time for one broker.
  case dynamicBroker = 2
  /// Set at run time for all brokers.
  case dynamicDefaultBroker = 3
  /// Given when the broker started: file, environment, or command line.
  case staticBroker = 4
  /// Nobody said anything.
  case `default` = 5
}
