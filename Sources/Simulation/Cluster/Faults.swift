internal import Broker
internal import Cluster
internal import Primitives

/// What goes wrong, drawn by the seed: each seed has its own few kinds of it, and its own pace.
///
/// With a budget no more brokers lose what they had promised, at the same time, than `min.insync.replicas` - 1: that is what
/// the configuration says it survives (R1).
final class Faults {
  enum Kind: CaseIterable {
    case crash, powerCut, diskLost, cleanStop, pause, isolate, oneWay, pair, clientCut, slowLink, slowDisk
    case ensembleCut, sessionEnd, quorumLoss, staleServer, lostAnswer, clockJump
    case diskError, diskFull, reassign, preferredLeader, delayedJoin, lateAppend
    case tooLateJoin, awayAndBack

    /// Drawn apart from the others: what the seeds did before there were these, those without them do yet.
    static let later: Set<Kind> = [.tooLateJoin, .awayAndBack]
  }

  unowned let simulator: ClusterSimulator
  let random: SimulationRandom
  private var kinds: [Kind] = []
  private var pauseMs = 50...600
  var isOver = false
  /// Brokers that may have lost something and are not back in every isr.
  private(set) var lossy: Set<BrokerID> = []
  /// Partitions for which an unclean leader was asked.
  var operatorElected: Set<TopicIDPartition> = []
  var helpCount = 0
  /// What brokers could not serve when it was looked at last, by their lives.
  var shutOut: Set<LostReplica> = []
  private(set) var damaged: Set<BrokerID> = []

  init(_ simulator: ClusterSimulator) {
    self.simulator = simulator
    random = simulator.random.split()
    kinds = Kind.allCases.filter { !Kind.later.contains($0) && random.chance(percent: 40) }
    if kinds.isEmpty { kinds = [.crash, .isolate] }
    pauseMs = random.pick([20...200, 50...600, 300...1500])
    guard simulator.knobs.hasLaterFaults else { return }
    let apart = SimulationRandom(seed: ~simulator.seed)
    kinds += Kind.allCases.filter { Kind.later.contains($0) && apart.chance(percent: 25) }
  }

  func begin() {
    guard !isOver else { return }
    refreshBudget()
    happen(random.pick(kinds))
    simulator.call("fault", inMs: Int64(random.within(pauseMs))) { [unowned self] in begin() }
  }

  private var anyNode: Machine { random.pick(simulator.nodes) }

  /// Shorter than a session, about as long, or much longer.
  func someMs() -> Int64 {
    let session = Int(simulator.knobs.sessionTimeoutMs)
    return Int64(random.pick([10 + random.below(100), random.below(session), session + random.below(session)]))
  }

  private func happen(_ kind: Kind) {
    let node = anyNode
    switch kind {
    case .crash: crash(node)
    case .powerCut: cutPower(node)
    case .diskLost: loseDisk(node)
    case .cleanStop:
      guard node.isListening else { return }
      say("broker \(node.id.value) is told to stop")
      node.stopInOrder()
      simulator.reached(.cleanStop)
      restartLater(node, afterMs: 500 + someMs())
    case .pause: pause(node)
    case .isolate, .oneWay, .pair, .clientCut, .slowLink: disturbNetwork(kind, node)
    case .slowDisk:
      node.diskUs = random.pick([5_000...50_000, 100_000...600_000])
      say("the disk of broker \(node.id.value) is slow")
      later(someMs()) { node.diskUs = 50...1500 }
    case .ensembleCut, .sessionEnd, .quorumLoss, .staleServer, .lostAnswer: disturbEnsemble(kind, node)
    case .diskError: failDisk(node)
    case .diskFull: fillDisk(node)
    case .reassign: reassign()
    case .delayedJoin: delayJoin()
    case .lateAppend: delayAppend()
    case .tooLateJoin: joinTooLate()
    case .awayAndBack: takeAwayAndBringBack()
    case .preferredLeader:
      simulator.admin.electPreferred(somePartition())
    case .clockJump:
      node.clock.skewMs += Int64(random.pick([-3_600_000, 3_600_000, -1000, 5000]))
      say("the clock of broker \(node.id.value) is off by \(node.clock.skewMs) ms")
    }
  }

  func say(_ words: @autoclosure () -> String) { simulator.trace.say("FAULT " + words()) }

  func later(_ ms: Int64, _ body: @escaping () -> Void) {
    simulator.call("end of a fault", inMs: ms) { [unowned self] in if !isOver { body() } }
  }

  // MARK: processes and machines

  func crash(_ node: Machine) {
    guard node.isRunning else { return }
    say("broker \(node.id.value) is killed")
    node.kill()
    let ms = someMs()
    if ms < simulator.knobs.sessionTimeoutMs { simulator.reached(.fastRestart) }
    restartLater(node, afterMs: ms)
  }

  func cutPower(_ node: Machine, restartMs: Int64? = nil) {
    guard node.isMachineUp, simulator.knobs.isFlushedFirst || maySpend(on: node) else { return }
    if !simulator.knobs.isFlushedFirst { lossy.insert(node.id) }
    say("broker \(node.id.value) loses its power")
    node.losePower(
      data: random.pick(UnsyncedFate.allCases), names: random.pick(UnsyncedFate.allCases), seed: random.next())
    simulator.reached(.uncleanRestart)
    restartLater(node, afterMs: restartMs ?? someMs())
  }

  func loseDisk(_ node: Machine, restartMs: Int64? = nil) {
    guard node.isMachineUp, maySpend(on: node) else { return }
    lossy.insert(node.id)
    say("broker \(node.id.value) loses its disk")
    node.loseDisk()
    simulator.reached(.diskLost)
    restartLater(node, afterMs: restartMs ?? someMs())
  }

  /// Calls fail, one or all from then on: the broker gives its only folder up, and ends. Where pages are dropped, what was
  /// not flushed is gone.
  private func failDisk(_ node: Machine) {
    guard node.isRunning, node.isListening, simulator.knobs.isFlushedFirst || maySpend(on: node) else { return }
    if !simulator.knobs.isFlushedFirst { lossy.insert(node.id) }
    say("the disk of broker \(node.id.value) fails")
    simulator.reached(.diskFailed)
    node.disk.fail(
      call: 1 + random.below(5), errno: 5, effect: random.pick([.none, .half, .dropsDirtyPages]),
      isLasting: random.chance(percent: 50),
      calls: random.pick([[.write, .sync], [.sync], [.write, .sync, .rename, .open]]))
    later(someMs()) { node.disk.heal() }
  }

  private func fillDisk(_ node: Machine) {
    guard node.disk.capacity == nil else { return }
    say("the disk of broker \(node.id.value) is full")
    simulator.reached(.diskFull)
    let disk = node.disk
    disk.capacity = disk.usedBytes + Int64(random.below(3000))
    later(someMs()) {
      disk.capacity = nil
      node.disk.capacity = nil
    }
  }

  func somePartition() -> TopicPartition {
    TopicPartition(ClusterSimulator.topic, Int32(random.below(Int(simulator.knobs.partitionCount))))
  }

  private func reassign() {
    let count = simulator.knobs.replicationFactor
    guard count < simulator.nodes.count else { return }
    var ids = simulator.nodes.map(\.id)
    while ids.count > count { ids.remove(at: random.below(ids.count)) }
    let first = random.below(ids.count)
    let target = Array(ids[first...] + ids[..<first])
    let partition = somePartition()
    say("\(partition) is to be held by \(target.map(\.value))")
    simulator.reached(.reassigned)
    simulator.admin.reassign(partition, to: target)
  }

  private func pause(_ node: Machine) {
    guard node.isRunning, !node.isPaused else { return }
    say("broker \(node.id.value) stands still")
    node.isPaused = true
    node.client?.pause()
    later(someMs()) { [unowned self] in resume(node) }
  }

  func resume(_ node: Machine) {
    guard node.isPaused else { return }
    say("broker \(node.id.value) goes on")
    node.client?.resume()
    node.isPaused = false
  }

  func restartLater(_ node: Machine) { restartLater(node, afterMs: 300) }

  func restartLater(_ node: Machine, afterMs ms: Int64) {
    simulator.call("restart", inMs: ms) { [unowned self] in restart(node) }
  }

  func restart(_ node: Machine) {
    guard !node.isRunning else { return }
    node.isMachineUp = true
    node.start()
  }

  // MARK: budget

  func maySpend(on node: Machine) -> Bool {
    let isWithin = lossy.union([node.id]).count <= simulator.knobs.minInsyncReplicas - 1
    guard !simulator.knobs.hasBudget, !isWithin else { return isWithin }
    simulator.checkers.replicas.forgivePartitions(of: lossy.union([node.id]))
    return true
  }

  /// Who is back in every isr has everything again.
  private func refreshBudget() {
    let image = simulator.checkers.metadata.image
    for id in lossy.sorted() {
      guard let node = simulator.node(id), node.isRunning, let known = image.brokers[id], known.isActive,
        node.shards[0].brokerEpoch == known.epoch
      else { continue }
      let isBack = image.topicNames.allSatisfy { name in
        image.topic(named: name)?.partitions.allSatisfy { record in
          !record.replicas.contains(id) || (record.isr.contains(id) && !record.doubtfulReplicas.contains(id))
        } ?? true
      }
      if isBack { lossy.remove(id) }
    }
  }
}
