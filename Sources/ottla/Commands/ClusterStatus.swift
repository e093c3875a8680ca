import Client
import Primitives

func clusterCommands() -> [Command] { [clusterStatusCommand()] }

private func clusterStatusCommand() -> Command {
  Command(
    "cluster status", "show brokers, controller, and the partitions that are not as they should be",
    options: [
      .flag("all", "a", help: "every partition, not only those with a problem"),
      .flag("check", help: "end with 1 where a partition is offline, not fully in sync, or on the move"),
      CommonOptions.bootstrap, CommonOptions.output, CommonOptions.timeout,
    ],
    examples: [
      ("ottla cluster status", "who is there, who leads what, what is missing"),
      ("ottla cluster status --check >/dev/null && systemctl stop ottla", "the next step only where all is in sync"),
      ("ottla cluster status -o json | jq '.partitions.underReplicated'", "a number for a script"),
    ]
  ) { arguments in
    let wantsJSON = try arguments.wantsJSON()
    let view = try ClusterView.read(try arguments.adminClient())
    let health = ClusterHealth(view)
    if wantsJSON {
      show(clusterJSON(view, health, all: arguments.has("all")))
    } else {
      showCluster(view, health, all: arguments.has("all"))
    }
    if arguments.has("check"), !health.isWhole { throw CommandFailure(health.sentence) }
  }
}

/// Text shows no more partitions than a person reads.
private let shownPartitionsMax = 50

private func isShown(_ partition: ClusterView.Partition) -> Bool {
  partition.isOffline || partition.isUnderReplicated || partition.isUnderMinISR || partition.isMoving
}

private func showCluster(_ view: ClusterView, _ health: ClusterHealth, all: Bool) {
  let head = StandardOutput()
  head.line("cluster \(view.clusterID), controller \(view.controller < 0 ? "none" : "\(view.controller)")")
  head.flush()
  var brokers = TextTable("BROKER", "ADDRESS", "RACK", "STATE", "LEADS", "REPLICAS", "IN SYNC")
  for broker in view.brokers {
    brokers.add(
      "\(broker.id)", address(broker), broker.rack ?? "-", broker.isFenced ? "away" : "alive",
      "\(view.leaderCount(of: broker.id))", "\(view.replicaCount(on: broker.id))", "\(view.inSyncCount(of: broker.id))")
  }
  brokers.show(whenEmpty: "no brokers")
  let tail = StandardOutput()
  tail.line(health.sentence)
  tail.flush()
  let shown = view.partitions.filter { all || isShown($0) }
  guard !shown.isEmpty else { return }
  var partitions = TextTable("TOPIC", "PARTITION", "LEADER", "REPLICAS", "ISR", "STATE")
  for partition in shown.prefix(all ? shown.count : shownPartitionsMax) {
    partitions.add(
      partition.name.topic, "\(partition.name.partition)", partition.isOffline ? "none" : "\(partition.leader)",
      partition.replicas.map { "\($0)" }.joined(separator: ","),
      partition.isr.map { "\($0)" }.joined(separator: ","), state(partition))
  }
  partitions.show(whenEmpty: "")
  if !all, shown.count > shownPartitionsMax {
    standardError("and \(shown.count - shownPartitionsMax) more; --all shows them\n")
  }
}

private func address(_ broker: ClusterView.Broker) -> String {
  broker.host.isEmpty
    ? "-" : broker.host.contains(":") ? "[\(broker.host)]:\(broker.port)" : "\(broker.host):\(broker.port)"
}

private func state(_ partition: ClusterView.Partition) -> String {
  var words: [String] = []
  if partition.isOffline { words.append("offline") }
  if !partition.isOffline, partition.isUnderMinISR { words.append("under min.insync.replicas") }
  if !partition.isOffline, !partition.isUnderMinISR, partition.isUnderReplicated { words.append("under-replicated") }
  if partition.isMoving { words.append("being moved") }
  return words.isEmpty ? "in sync" : words.joined(separator: ", ")
}

private func clusterJSON(_ view: ClusterView, _ health: ClusterHealth, all: Bool) -> JSON {
  let brokers = view.brokers.map { broker -> JSON in
    .object([
      ("id", .integer(broker.id)), ("host", .string(broker.host)), ("port", .integer(broker.port)),
      ("rack", .optional(broker.rack)), ("alive", .bool(!broker.isFenced)),
      ("leads", .integer(view.leaderCount(of: broker.id))), ("replicas", .integer(view.replicaCount(on: broker.id))),
      ("inSync", .integer(view.inSyncCount(of: broker.id))),
    ])
  }
  let listed = view.partitions.filter { all || isShown($0) }.map { partition -> JSON in
    .object([
      ("topic", .string(partition.name.topic)), ("partition", .integer(partition.name.partition)),
      ("leader", .integer(partition.leader)), ("replicas", .array(partition.replicas.map { .integer($0) })),
      ("isr", .array(partition.isr.map { .integer($0) })), ("offline", .bool(partition.isOffline)),
      ("underReplicated", .bool(partition.isUnderReplicated)), ("underMinISR", .bool(partition.isUnderMinISR)),
      ("moving", .bool(partition.isMoving)),
    ])
  }
  return .object([
    ("cluster", .string(view.clusterID)), ("controller", .integer(view.controller)), ("brokers", .array(brokers)),
    (
      "partitions",
      .object([
        ("total", .integer(health.partitions)), ("offline", .integer(health.offline)),
        ("underReplicated", .integer(health.underReplicated)), ("underMinISR", .integer(health.underMinISR)),
        ("moving", .integer(health.moving)), ("ledElsewhere", .integer(health.ledElsewhere)),
        (all ? "all" : "notWhole", .array(listed)),
      ])
    ),
  ])
}
