internal import KafkaProtocol
internal import Primitives

/// One step of an incremental change (KIP-339), by the wire's numbers.
enum ConfigOperation: Int8 {
  /// The value is the config's.
  case set = 0
  /// The config goes back to its default.
  case delete = 1
  /// The items are put behind those of a list that lacks them.
  case append = 2
  /// The items are taken out of a list.
  case subtract = 3
}

/// A request's changes of one resource, checked for what holds whatever the resource is.
struct ConfigEdit {
  struct Step {
    let name: String
    let operation: ConfigOperation
    /// Empty for a deletion.
    let value: String
  }

  let steps: [Step]

  /// - Throws: INVALID_REQUEST for a repeated name, a missing value, an unknown operation.
  init(_ configs: [IncrementalAlterConfigsRequest.AlterableConfig]) throws(KafkaError) {
    try Self.refuseRepeated(configs.map(\.name))
    var steps: [Step] = []
    for config in configs {
      guard let operation = ConfigOperation(rawValue: config.configOperation) else {
        throw KafkaError(
          .invalidRequest, "Unknown config operation \(config.configOperation) for \(excerpt(of: config.name)).")
      }
      if config.value == nil, operation != .delete { throw Self.missingValue(config.name) }
      steps.append(Step(name: config.name, operation: operation, value: config.value ?? ""))
    }
    self.steps = steps
  }

  /// All the configs a resource is to have, as the older request gives them.
  ///
  /// - Throws: INVALID_REQUEST for a repeated name or a missing value.
  static func replacement(_ configs: [AlterConfigsRequest.AlterableConfig]) throws(KafkaError) -> [String: String] {
    try refuseRepeated(configs.map(\.name))
    var replacement: [String: String] = [:]
    for config in configs {
      guard let value = config.value else { throw missingValue(config.name) }
      replacement[config.name] = value
    }
    return replacement
  }

  /// `current` after all steps; `effective` gives the value a list has that `current` does not set.
  ///
  /// - Throws: INVALID_CONFIG for an append to, or a subtraction from, what is no list.
  func applied(
    to current: [String: String], isList: (String) -> Bool, effective: (String) -> String?
  ) throws(KafkaError) -> [String: String] {
    var configs = current
    for step in steps {
      switch step.operation {
      case .set: configs[step.name] = step.value
      case .delete: configs[step.name] = nil
      case .append, .subtract:
        guard isList(step.name) else {
          throw KafkaError(
            .invalidConfig,
            "Config \(excerpt(of: step.name)) cannot be appended to or subtracted from: it is not a list.")
        }
        let before = Self.items(of: configs[step.name] ?? effective(step.name) ?? "")
        let items = Self.items(of: step.value)
        let after =
          step.operation == .append ? Self.appending(items, to: before) : before.filter { !items.contains($0) }
        if after != before { configs[step.name] = after.joined(separator: ",") }
      }
    }
    return configs
  }

  /// The items of a list as text, without the blanks around them and without empty ones.
  private static func items(of list: String) -> [String] {
    list.split(separator: ",").compactMap { item in
      let words = item.split(separator: " ")
      return words.isEmpty ? nil : words.joined(separator: " ")
    }
  }

  private static func appending(_ items: [String], to list: [String]) -> [String] {
    items.reduce(into: list) { list, item in
      if !list.contains(item) { list.append(item) }
    }
  }

  private static func refuseRepeated(_ names: [String]) throws(KafkaError) {
    if let name = repeatedMembers(of: names).min() {
      throw KafkaError(.invalidRequest, "Error due to duplicate config keys: \(excerpt(of: name)).")
    }
  }

  private static func missingValue(_ name: String) -> KafkaError {
    KafkaError(.invalidRequest, "Null value not supported for: \(excerpt(of: name)).")
  }
}
