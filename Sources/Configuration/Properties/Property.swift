/// One row of a property table: from it come parser, validator, DescribeConfigs, dynamic update and the reference page.
///
/// `Target` is the struct whose field holds the parsed value: `TopicConfig` or `BrokerConfig`.
package struct Property<Target: Sendable>: Sendable {
  /// Kafka's name of it; our own names begin with `ottla.`.
  package let name: String
  package let type: ConfigType
  /// The value where nobody sets one, as text; nil for none.
  package let defaultValue: String?
  package let allowed: AllowedValues
  /// One or two sentences for people.
  package let documentation: String
  package private(set) var update = UpdateMode.readOnly
  package private(set) var effect = PropertyEffect.kept
  /// Kafka's default in words, where ours is another.
  package private(set) var kafkaDefault: String?
  /// The broker properties behind a topic property, the strongest first.
  package private(set) var behind: [PropertyBehind] = []

  /// Puts a parsed value, or nil for none, into its field.
  let assign: @Sendable (inout Target, ConfigValue?) -> Void

  init(
    _ name: String, _ type: ConfigType, _ defaultValue: String?, _ allowed: AllowedValues, _ documentation: String,
    assign: @escaping @Sendable (inout Target, ConfigValue?) -> Void
  ) {
    self.name = name
    self.type = type
    self.defaultValue = defaultValue
    self.allowed = allowed
    self.documentation = documentation
    self.assign = assign
  }

  /// Secrets are never shown.
  package var isSensitive: Bool { type == .password }

  /// Reads and checks a value; nil where the property does not take it.
  package func parse(_ text: String) -> ConfigValue? {
    ConfigValue.parse(text, as: type).flatMap { allowed.allows($0) ? $0 : nil }
  }

  /// What the property takes, in words: type and range.
  package var allowedDescription: String {
    let article = type == .int ? "an" : "a"
    let range = allowed.description
    return range.isEmpty ? "\(article) \(type.name)" : "\(article) \(type.name), \(range)"
  }

  /// A value as it may be shown to people.
  func shown(_ text: String) -> String { isSensitive ? "[hidden]" : text }
}

/// When a broker property may be changed (Kafka's `DynamicBrokerConfig`).
package enum UpdateMode: Sendable, CaseIterable {
  /// Only by a restart.
  case readOnly
  /// At run time, for a single broker.
  case perBroker
  /// At run time, for a single broker or as the default of all of them.
  case clusterWide
}

/// Whether a property does anything here.
package enum PropertyEffect: Sendable {
  /// It is kept.
  case kept
  /// Known to Kafka, accepted and reported by DescribeConfigs, without effect here.
  case echoed
}

/// A broker property that gives a topic property its value where the topic has none of its own.
package struct PropertyBehind: Sendable, Equatable {
  package let name: String
  /// What one unit of the broker property is in units of the topic property: 3,600,000 for hours behind milliseconds.
  package let scale: Int64
}

extension Property {
  /// The row, changeable at run time for single brokers only.
  func perBroker() -> Property { with { $0.update = .perBroker } }

  /// The row, changeable at run time for one broker or all.
  func clusterWide() -> Property { with { $0.update = .clusterWide } }

  /// The row, marked as without effect.
  func echoed() -> Property { with { $0.effect = .echoed } }

  /// The row, with Kafka's own default, for people who come from there.
  func insteadOf(_ kafkaDefault: String) -> Property { with { $0.kafkaDefault = kafkaDefault } }

  /// The row, backed by a broker property; several calls name weaker ones.
  func behind(_ name: String, scale: Int64 = 1) -> Property {
    with { $0.behind.append(PropertyBehind(name: name, scale: scale)) }
  }

  private func with(_ change: (inout Property) -> Void) -> Property {
    var copy = self
    change(&copy)
    return copy
  }
}
