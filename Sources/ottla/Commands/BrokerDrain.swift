import Client
import Primitives

func brokerCommands() -> [Command] { [brokerDrainCommand(), brokerDecommissionCommand()] }

private func brokerDrainCommand() -> Command {
  Command(
    "broker drain", "move all leaderships away from a broker, which keeps its replicas",
    parameters: [Parameter("ID")],
    options: [
      .flag("dry-run", "n", help: "show what would be moved, and move nothing"),
      CommonOptions.bootstrap, CommonOptions.output, CommonOptions.timeout,
    ],
    examples: [
      ("ottla broker drain 2", "before broker 2 gets new disks: clients talk to the others, broker 2 still follows"),
      ("ottla topic reassign --all-topics --execute", "afterwards: leaderships are spread again"),
    ]
  ) { arguments in
    let id = try brokerID(arguments)
    let wantsJSON = try arguments.wantsJSON()
    let watch = try arguments.clusterWatch()
    let view = try watch.ask { (admin) throws(ClientError) in try ClusterView.read(admin) }
    guard view.broker(id) != nil else { throw unknownBroker(id) }
    let drain = DrainPlan(view, draining: id)
    if wantsJSON { show(drain.plan.json) } else { drain.plan.showText() }
    if !arguments.has("dry-run"), !drain.plan.moves.isEmpty { try execute(drain, of: id, watch) }
    try reportStuck(drain.stuck, id)
  }
}

/// An order of replicas is changed at once; the election then makes the first of them leader.
private func execute(_ drain: DrainPlan, of id: Int32, _ watch: ClusterWatch) throws {
  let refused = try watch.ask { (admin) throws(ClientError) in try admin.alterReassignments(drain.plan.targets) }
  try failIfRefused(refused, "changed")
  let unelected = try watch.ask { (admin) throws(ClientError) in try admin.electLeaders(.preferred, of: drain.led) }
  try failIfRefused(unelected, "given another leader")
  let wanted = Set(drain.led)
  var progress = ProgressLines()
  let patience = Stopwatch()
  while true {
    let view = try watch.ask { (admin) throws(ClientError) in try ClusterView.read(admin) }
    let left = view.partitions.count { wanted.contains($0.name) && $0.leader == id }
    if left == 0 { break }
    guard patience.seconds < 60 else { throw CommandFailure("broker \(id) still leads \(left) partitions") }
    progress.say("broker \(id) still leads \(left) partitions")
    pause(milliseconds: 300)
  }
  standardError("broker \(id) gave up \(drain.led.count) leaderships\n")
}

private func reportStuck(_ stuck: [TopicPartition: String], _ id: Int32) throws {
  let first = stuck.min { ($0.key.topic, $0.key.partition) < ($1.key.topic, $1.key.partition) }
  guard let first else { return }
  throw CommandFailure(
    "broker \(id) still leads \(stuck.count) partitions that nobody else can, \(first.key) among them: \(first.value)")
}

func brokerID(_ arguments: Arguments) throws(UsageError) -> Int32 {
  let word = arguments.parameters[0]
  guard let id = Int32(word), id >= 0 else { throw UsageError("a broker's id is a number, not '\(word)'") }
  return id
}

func unknownBroker(_ id: Int32) -> CommandFailure {
  CommandFailure("there is no broker \(id); `ottla cluster status` shows those that are there")
}
