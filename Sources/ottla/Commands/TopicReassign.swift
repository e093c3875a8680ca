import Client
import KafkaProtocol
import Primitives

func topicReassignCommand() -> Command {
  Command(
    "topic reassign", "move a topic's replicas to other brokers, or give it more or fewer of them",
    options: [
      .value("topic", "t", as: "NAME", repeats: true, help: "the topics meant"),
      .flag("all-topics", help: "every topic, the cluster's own too"),
      .value("to-brokers", as: "ID,ID,...", help: "who shall keep the replicas (default: all that are alive)"),
      .value(
        "rf", "replication-factor", as: "N", help: "how many replicas each partition shall have (default: as now)"),
      .value("place", as: "P=ID,ID,...", repeats: true, help: "one partition exactly so, the preferred leader first"),
      .flag("execute", help: "do it; without it the plan is shown and nothing is changed"),
      .flag("wait", "w", help: "with --execute or --status: until the moves are done"),
      .flag("status", help: "show the moves under way, and change nothing"),
      .flag("cancel", help: "take back the moves under way"),
      CommonOptions.bootstrap, CommonOptions.output, CommonOptions.timeout,
    ],
    examples: [
      ("ottla topic reassign --topic orders --to-brokers 1,2,3 --rf 3", "look at the plan"),
      ("ottla topic reassign --topic orders --to-brokers 1,2,3 --rf 3 --execute --wait", "and do it"),
      ("ottla topic reassign --topic orders --place 0=2,3 --place 1=3,2 --execute", "a plan of one's own"),
      ("ottla topic reassign --status", "what is under way"),
      ("ottla topic reassign --cancel --topic orders", "back to where the replicas were"),
    ], run: reassign)
}

private func reassign(_ arguments: Arguments) throws {
  let wish = try ReassignWish(arguments)
  let wantsJSON = try arguments.wantsJSON()
  let watch = try arguments.clusterWatch()
  switch wish {
  case .status(let topics, let waits):
    let moves = try ongoing(watch, topics)
    showOngoing(moves, wantsJSON)
    if waits { try watch.waitForMoves(of: moves.map(\.partition)) }
  case .cancel(let topics):
    let moves = try ongoing(watch, topics)
    let none: [TopicPartition: [Int32]?] = Dictionary(uniqueKeysWithValues: moves.map { ($0.partition, nil) })
    let refused = try watch.ask { (admin) throws(ClientError) in try admin.alterReassignments(none) }
    // A move that came to its end meanwhile is no failure of taking it back.
    try failIfRefused(refused.filter { $0.value.code != .noReassignmentInProgress }, "cancelled")
    standardError("took back \(moves.count - refused.count) moves\n")
  case .move(let request, let executes, let waits):
    let view = try watch.ask { (admin) throws(ClientError) in try ClusterView.read(admin) }
    let plan = try request.plan(view)
    if wantsJSON { show(plan.json) } else { plan.showText() }
    guard executes else {
      if !plan.moves.isEmpty { standardError("nothing is changed yet; --execute does it\n") }
      return
    }
    let refused = try watch.ask { (admin) throws(ClientError) in try admin.alterReassignments(plan.targets) }
    try failIfRefused(refused, "moved")
    if waits {
      let moved = plan.moves.map(\.partition)
      try watch.waitForMoves(of: moved)
      // The plan's leaders lead at once, where they can; where not, the cluster sees to it later.
      _ = try watch.ask { (admin) throws(ClientError) in try admin.electLeaders(.preferred, of: moved) }
    }
    standardError(waits ? "moved\n" : "started; `ottla topic reassign --status` shows how far it is\n")
  }
}

private func ongoing(_ watch: ClusterWatch, _ topics: Set<String>?) throws -> [OngoingReassignment] {
  try watch.ask { (admin) throws(ClientError) in try admin.ongoingReassignments() }
    .filter { topics?.contains($0.partition.topic) ?? true }
}

/// Throws where partitions were refused, naming the first of them.
func failIfRefused(_ refused: [TopicPartition: KafkaError], _ done: String) throws {
  let first = refused.min { ($0.key.topic, $0.key.partition) < ($1.key.topic, $1.key.partition) }
  guard let first else { return }
  let why = first.value.message.map { "\($0) (\(first.value.code.name))" } ?? first.value.code.name
  throw CommandFailure("\(refused.count) partitions were not \(done), \(first.key) among them: \(why)")
}

private func showOngoing(_ moves: [OngoingReassignment], _ wantsJSON: Bool) {
  if wantsJSON {
    show(
      .array(
        moves.map { move in
          .object([
            ("topic", .string(move.partition.topic)), ("partition", .integer(move.partition.partition)),
            ("replicas", .array(move.replicas.map { .integer($0) })),
            ("adding", .array(move.adding.map { .integer($0) })),
            ("removing", .array(move.removing.map { .integer($0) })),
          ])
        }))
    return
  }
  var table = TextTable("TOPIC", "PARTITION", "REPLICAS", "ADDING", "REMOVING")
  for move in moves {
    table.add(
      move.partition.topic, "\(move.partition.partition)", move.replicas.map { "\($0)" }.joined(separator: ","),
      move.adding.map { "\($0)" }.joined(separator: ","), move.removing.map { "\($0)" }.joined(separator: ","))
  }
  table.show(whenEmpty: "no moves are under way")
}
