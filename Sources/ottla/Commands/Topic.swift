import Client
import KafkaProtocol
import Primitives

func topicCommands() -> [Command] {
  [
    topicCreateCommand(), topicListCommand(), topicDescribeCommand(), topicAlterCommand(), topicReassignCommand(),
    topicDeleteCommand(),
  ]
}

private func topicCreateCommand() -> Command {
  Command(
    "topic create", "make a topic",
    parameters: [Parameter("NAME")],
    options: [
      .value("partitions", "p", as: "N", help: "how many partitions (default: the broker's num.partitions)"),
      .value("replication-factor", "r", as: "R", help: "how many brokers keep each partition (default: the broker's)"),
      .pairs("config", "c", help: "properties of the topic"),
      .flag("if-not-exists", help: "do nothing when the topic is there already"),
      CommonOptions.bootstrap, CommonOptions.output, CommonOptions.timeout,
    ],
    examples: [
      ("ottla topic create orders --partitions 6", "a topic with six partitions"),
      (
        "ottla topic create users --config cleanup.policy=compact retention.ms=-1",
        "a topic that keeps the last record of each key"
      ),
    ]
  ) { arguments in
    let name = arguments.parameters[0]
    let partitions = try arguments.integer("partitions", in: 1...Int64(Int32.max)).map { Int32($0) }
    let replicas = try arguments.integer("replication-factor", in: 1...Int64(Int16.max)).map { Int16($0) }
    let configs = try arguments.pairs("config")
    let wantsJSON = try arguments.wantsJSON()
    let admin = try arguments.adminClient()
    do throws(ClientError) {
      let made = try admin.createTopic(name, partitions: partitions, replicationFactor: replicas, configs: configs)
      if wantsJSON {
        show(
          .object([
            ("topic", .string(name)), ("id", made.topicId.isZero ? .null : .string(made.topicId.description)),
            ("partitions", .integer(made.numPartitions)),
            ("replicationFactor", .integer(Int32(made.replicationFactor))),
          ]))
      } else {
        let counts =
          made.numPartitions > 0 ? " (\(made.numPartitions) partitions, \(made.replicationFactor) replicas)" : ""
        standardError("made topic \(name)\(counts)\n")
      }
    } catch {
      guard case .refused(_, let refusal) = error, refusal.code == .topicAlreadyExists,
        arguments.has("if-not-exists")
      else { throw error }
    }
  }
}

private func topicListCommand() -> Command {
  Command(
    "topic list", "list the topics",
    options: [
      .flag("internal", help: "the cluster's own topics too"),
      CommonOptions.bootstrap, CommonOptions.output, CommonOptions.timeout,
    ],
    examples: [
      ("ottla topic list", "every topic with its partitions and replicas"),
      ("ottla topic list -o json | jq -r '.[].topic'", "names alone, for a script"),
    ]
  ) { arguments in
    let wantsJSON = try arguments.wantsJSON()
    let topics = try arguments.adminClient().metadata(topics: nil).topics
      .filter { !$0.isInternal || arguments.has("internal") }
      .sorted { ($0.name ?? "") < ($1.name ?? "") }
    if wantsJSON {
      show(
        .array(
          topics.map { topic in
            .object([
              ("topic", .string(topic.name ?? "")), ("id", .string(topic.topicId.description)),
              ("partitions", .integer(topic.partitions.count)),
              ("replicationFactor", .integer(topic.partitions.first?.replicaNodes.count ?? 0)),
              ("internal", .bool(topic.isInternal)),
            ])
          }))
      return
    }
    var table = TextTable("TOPIC", "PARTITIONS", "REPLICAS")
    for topic in topics {
      table.add(topic.name ?? "", "\(topic.partitions.count)", "\(topic.partitions.first?.replicaNodes.count ?? 0)")
    }
    table.show(whenEmpty: "no topics; `ottla topic create NAME` makes one")
  }
}

private func topicDeleteCommand() -> Command {
  Command(
    "topic delete", "delete topics with all their records",
    parameters: [Parameter("NAME", repeats: true)],
    options: [
      .flag("if-exists", help: "do nothing for a topic that is not there"),
      CommonOptions.bootstrap, CommonOptions.timeout,
    ],
    examples: [("ottla topic delete orders", "delete one topic")]
  ) { arguments in
    let admin = try arguments.adminClient()
    for name in arguments.parameters {
      do throws(ClientError) {
        try admin.deleteTopic(name)
        standardError("deleted topic \(name)\n")
      } catch {
        guard case .refused(_, let refusal) = error, refusal.code == .unknownTopicOrPartition,
          arguments.has("if-exists")
        else { throw error }
      }
    }
  }
}

private func topicAlterCommand() -> Command {
  Command(
    "topic alter", "change a topic's properties, or give it more partitions",
    parameters: [Parameter("NAME")],
    options: [
      .value("partitions", "p", as: "N", help: "partitions in all; there can only be more"),
      .pairs("config", "c", help: "properties to set"),
      .value("delete-config", as: "NAME", repeats: true, help: "a property to set back to its default"),
      CommonOptions.bootstrap, CommonOptions.timeout,
    ],
    examples: [
      ("ottla topic alter orders --partitions 12", "twelve partitions from now on"),
      ("ottla topic alter orders --config retention.ms=86400000", "keep records for a day"),
      ("ottla topic alter orders --delete-config retention.ms", "the broker's default again"),
    ]
  ) { arguments in
    let name = arguments.parameters[0]
    let partitions = try arguments.integer("partitions", in: 1...Int64(Int32.max)).map { Int32($0) }
    let configs = try arguments.pairs("config")
    let removed = arguments.texts("delete-config")
    guard partitions != nil || !configs.isEmpty || !removed.isEmpty else {
      throw UsageError("nothing to change: give --partitions, --config or --delete-config")
    }
    let admin = try arguments.adminClient()
    // Properties first: a wrong one is refused before partitions are added, which nothing takes back.
    if !configs.isEmpty || !removed.isEmpty {
      try admin.alterConfigs(.topic(name), set: configs, delete: removed)
    }
    if let partitions { try admin.createPartitions(of: name, count: partitions) }
    standardError("changed topic \(name)\n")
  }
}
