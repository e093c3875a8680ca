import Client
import KafkaProtocol

func configCommands() -> [Command] { [configDescribeCommand(), configSetCommand()] }

private func configDescribeCommand() -> Command {
  Command(
    "config describe", "show the properties of a topic or a broker",
    parameters: [Parameter("topic|broker"), Parameter("NAME|ID")],
    options: [
      .flag("all", "a", help: "those at their defaults too"),
      CommonOptions.bootstrap, CommonOptions.output, CommonOptions.timeout,
    ],
    examples: [
      ("ottla config describe topic orders", "what was set for the topic"),
      ("ottla config describe broker 1 --all", "every property of broker 1"),
    ]
  ) { arguments in
    let resource = try configResource(arguments.parameters)
    let wantsJSON = try arguments.wantsJSON()
    let configs = try arguments.adminClient().describeConfigs(resource)
      .filter { arguments.has("all") || $0.configSource != ConfigSource.defaultConfig }
    if wantsJSON {
      show(
        .array(
          configs.map { config in
            .object([
              ("name", .string(config.name)), ("value", .optional(config.value)),
              ("source", .string(ConfigSource.name(config.configSource))), ("readOnly", .bool(config.readOnly)),
              ("sensitive", .bool(config.isSensitive)), ("documentation", .optional(config.documentation)),
            ])
          }))
      return
    }
    var table = TextTable("NAME", "VALUE", "FROM")
    for config in configs {
      let value = config.isSensitive ? "(hidden)" : config.value ?? ""
      table.add(config.name, value, ConfigSource.name(config.configSource))
    }
    table.show(whenEmpty: "\(resource) has every property at its default; --all shows them")
  }
}

private func configSetCommand() -> Command {
  Command(
    "config set", "set properties of a topic or a broker",
    parameters: [
      Parameter("topic|broker"), Parameter("NAME|ID"), Parameter("NAME=VALUE", repeats: true, isOptional: true),
    ],
    options: [
      .value("delete", as: "NAME", repeats: true, help: "a property to set back to its default"),
      CommonOptions.bootstrap, CommonOptions.timeout,
    ],
    examples: [
      ("ottla config set topic orders retention.ms=86400000 segment.bytes=16777216", "two properties at once"),
      ("ottla config set topic orders --delete retention.ms", "the default again"),
    ]
  ) { arguments in
    let resource = try configResource(arguments.parameters)
    var changes: [(name: String, value: String)] = []
    for word in arguments.parameters.dropFirst(2) { changes.append(try Arguments.pair(word, for: "config set")) }
    let removed = arguments.texts("delete")
    guard !changes.isEmpty || !removed.isEmpty else {
      throw UsageError("nothing to change: give NAME=VALUE or --delete")
    }
    try arguments.adminClient().alterConfigs(resource, set: changes, delete: removed)
    standardError("changed \(resource)\n")
  }
}

private func configResource(_ words: [String]) throws(UsageError) -> ConfigResource {
  switch words[0] {
  case "topic": return .topic(words[1])
  case "broker":
    guard let id = Int32(words[1]), id >= 0 else { throw UsageError("a broker's id is a number, not '\(words[1])'") }
    return .broker(id)
  default: throw UsageError("properties belong to a topic or a broker, not to '\(words[0])'")
  }
}

/// Where a property's value comes from (Kafka's `DescribeConfigsResponse.ConfigSource`).
private enum ConfigSource {
  static let defaultConfig: Int8 = 5

  static func name(_ source: Int8) -> String {
    switch source {
    case 1: "topic"
    case 2: "broker"
    case 3: "cluster"
    // File, environment, --set or a flag: the wire does not tell them apart.
    case 4: "start-up"
    case defaultConfig: "default"
    default: "unknown"
    }
  }
}
