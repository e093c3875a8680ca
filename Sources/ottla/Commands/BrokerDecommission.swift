import Client
import Primitives

func brokerDecommissionCommand() -> Command {
  Command(
    "broker decommission", "move everything away from a broker, wait until it is stopped, and forget it",
    parameters: [Parameter("ID")],
    options: [
      .value("to-brokers", as: "ID,ID,...", help: "who takes its replicas (default: all others that are alive)"),
      .flag("dry-run", "n", help: "show what would be moved, and move nothing"),
      CommonOptions.bootstrap, CommonOptions.output, CommonOptions.timeout,
    ],
    examples: [
      ("ottla broker decommission 3 --dry-run", "what would go where"),
      ("ottla broker decommission 3", "do it; when it says so, stop broker 3, and it is forgotten"),
    ]
  ) { arguments in
    let id = try brokerID(arguments)
    let receivers = try arguments.text("to-brokers").map { try ReassignRequest.ids($0, "--to-brokers") }
    let wantsJSON = try arguments.wantsJSON()
    let watch = try arguments.clusterWatch()
    let view = try watch.ask { (admin) throws(ClientError) in try ClusterView.read(admin) }
    guard view.broker(id) != nil else { throw unknownBroker(id) }
    let plan = try decommissionPlan(view, of: id, to: receivers)
    if wantsJSON { show(plan.json) } else { plan.showText() }
    if arguments.has("dry-run") { return }
    try moveEverything(away: id, to: receivers, first: plan, watch)
    try waitUntilStopped(id, watch)
    try watch.ask { (admin) throws(ClientError) in try admin.unregisterBroker(id) }
    standardError("broker \(id) is no part of the cluster any more\n")
  }
}

/// Where the replicas of broker `id` go: nothing else is moved.
func decommissionPlan(_ view: ClusterView, of id: Int32, to receivers: [Int32]?) throws -> ReplicaPlan {
  if let receivers {
    if receivers.contains(id) { throw UsageError("--to-brokers names broker \(id), which is to go") }
    if let strange = receivers.first(where: { view.broker($0) == nil }) { throw unknownBroker(strange) }
  }
  let partitions = view.partitions
  return try ReplicaPlanner.plan(
    partitions.filter { $0.replicas.contains(id) },
    on: view.brokers.filter { $0.id != id && (receivers?.contains($0.id) ?? !$0.isFenced) }, leaving: [id],
    beside: partitions.filter { !$0.replicas.contains(id) }, isBalanced: false)
}

/// Until nothing is left: topics that were made meanwhile may have come to the broker too.
private func moveEverything(
  away id: Int32, to receivers: [Int32]?, first: ReplicaPlan, _ watch: ClusterWatch
) throws {
  var plan = first
  while !plan.moves.isEmpty {
    let targets = plan.targets
    let refused = try watch.ask { (admin) throws(ClientError) in try admin.alterReassignments(targets) }
    try failIfRefused(refused, "moved")
    try watch.waitForMoves(of: plan.moves.map(\.partition))
    let view = try watch.ask { (admin) throws(ClientError) in try ClusterView.read(admin) }
    plan = try decommissionPlan(view, of: id, to: receivers)
  }
  standardError("broker \(id) keeps nothing any more\n")
}

private func waitUntilStopped(_ id: Int32, _ watch: ClusterWatch) throws {
  var progress = ProgressLines()
  while true {
    let view = try watch.ask { (admin) throws(ClientError) in try ClusterView.read(admin) }
    guard let broker = view.broker(id), !broker.isFenced else { return }
    progress.say(
      "stop broker \(id) now (SIGTERM); waiting until it is gone, Ctrl-C ends the waiting and changes nothing")
    pause(milliseconds: 500)
  }
}
