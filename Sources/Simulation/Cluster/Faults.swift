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
  }

  private unowned let simulator: ClusterSimulator
  private let random: SimulationRandom
  private var kinds: [Kind] = []
  private var pauseMs = 50...600
  private var isOver = false
  /// Brokers that may have lost something and are not back in every isr.
  private var lossy: Set<BrokerID> = []
  /// Partitions for which an unclean leader was asked.
  private(set) var operatorElected: Set<TopicIDPartition> = []
  private var helpCount = 0
  /// What brokers could not serve when it was looked at last, by their lives.
  private var shutOut: Set<LostReplica> = []
  private(set) var damaged: Set<BrokerID> = []

  init(_ simulator: ClusterSimulator) {
    self.simulator = simulator
    random = simulator.random.split()
    kinds = Kind.allCases.filter { _ in random.chance(percent: 40) }
    if kinds.isEmpty { kinds = [.crash, .isolate] }
    pauseMs = random.pick([20...200, 50...600, 300...1500])
  }

  func begin() {
    guard !isOver else { return }
    refreshBudget()
    happen(random.pick(kinds))
    simulator.call("fault", inMs: Int64(random.within(pauseMs))) { [unowned self] in begin() }
  }

  private var anyNode: Machine { random.pick(simulator.nodes) }

  /// Shorter than a session, about as long, or much longer.
  private func someMs() -> Int64 {
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
    case .preferredLeader:
      simulator.admin.electPreferred(somePartition())
    case .clockJump:
      node.clock.skewMs += Int64(random.pick([-3_600_000, 3_600_000, -1000, 5000]))
      say("the clock of broker \(node.id.value) is off by \(node.clock.skewMs) ms")
    }
  }

  private func say(_ words: @autoclosure () -> String) { simulator.trace.say("FAULT " + words()) }

  private func later(_ ms: Int64, _ body: @escaping () -> Void) {
    simulator.call("end of a fault", inMs: ms) { [unowned self] in if !isOver { body() } }
  }

  // MARK: processes and machines

  private func crash(_ node: Machine) {
    guard node.isRunning else { return }
    say("broker \(node.id.value) is killed")
    node.kill()
    let ms = someMs()
    if ms < simulator.knobs.sessionTimeoutMs { simulator.reached(.fastRestart) }
    restartLater(node, afterMs: ms)
  }

  private func cutPower(_ node: Machine, restartMs: Int64? = nil) {
    guard node.isMachineUp, simulator.knobs.isFlushedFirst || maySpend(on: node) else { return }
    if !simulator.knobs.isFlushedFirst { lossy.insert(node.id) }
    say("broker \(node.id.value) loses its power")
    node.losePower(
      data: random.pick(UnsyncedFate.allCases), names: random.pick(UnsyncedFate.allCases), seed: random.next())
    simulator.reached(.uncleanRestart)
    restartLater(node, afterMs: restartMs ?? someMs())
  }

  private func loseDisk(_ node: Machine, restartMs: Int64? = nil) {
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

  /// A replica comes back and is about to join the isr, and loses what it has while its leader's word is on the way to the
  /// controller (KIP-903).
  private func delayJoin() {
    let partition = somePartition()
    let image = simulator.checkers.metadata.image
    guard let record = image.topic(named: partition.topic)?.partition(partition.partition), record.leader != .none,
      let controller = simulator.checkers.metadata.controller, controller != record.leader,
      let joining = record.replicas.first(where: { $0 != record.leader && $0 != controller }).flatMap({
        simulator.node($0)
      }),
      joining.isListening, maySpend(on: joining) || simulator.knobs.isFlushedFirst
    else { return }
    say("broker \(joining.id.value) is to join the isr of \(partition) late")
    joining.kill()
    restartLater(joining, afterMs: 5)
    let cutMs = 30 + random.below(100)
    simulator.call("late join", inMs: Int64(cutMs)) { [unowned self] in
      if !isOver { simulator.network.cut(from: record.leader.value, to: controller.value) }
    }
    simulator.call("late join", inMs: Int64(cutMs + 10 + random.below(60))) { [unowned self] in
      if !isOver { random.chance(percent: 30) ? cutPower(joining, restartMs: 5) : loseDisk(joining, restartMs: 5) }
    }
    later(Int64(cutMs + 400)) { [unowned self] in simulator.network.healAll() }
  }

  /// The controller dies with a write on its way, which arrives when there is another one already (KAFKA-6082).
  private func delayAppend() {
    guard let node = simulator.checkers.metadata.controller.flatMap({ simulator.node($0) }), node.isListening else {
      return
    }
    say("the last word of broker \(node.id.value) as the controller is late")
    node.client?.loseNextAnswer(.applyingLater(ms: 100 + random.below(500)))
    let others = simulator.nodes.filter { $0.id != node.id && $0.isRunning }
    if let other = others.first, random.chance(percent: 50) { crash(other) }
    simulator.call("late append", inMs: Int64(10 + random.below(60))) { [unowned self] in
      guard !isOver, node.isRunning else { return }
      node.kill()
      restartLater(node, afterMs: 5)
    }
  }

  private func somePartition() -> TopicPartition {
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

  private func resume(_ node: Machine) {
    guard node.isPaused else { return }
    say("broker \(node.id.value) goes on")
    node.client?.resume()
    node.isPaused = false
  }

  func restartLater(_ node: Machine) { restartLater(node, afterMs: 300) }

  private func restartLater(_ node: Machine, afterMs ms: Int64) {
    simulator.call("restart", inMs: ms) { [unowned self] in restart(node) }
  }

  private func restart(_ node: Machine) {
    guard !node.isRunning else { return }
    node.isMachineUp = true
    node.start()
  }

  // MARK: budget

  private func maySpend(on node: Machine) -> Bool {
    guard simulator.knobs.hasBudget else { return true }
    return lossy.union([node.id]).count <= simulator.knobs.minInsyncReplicas - 1
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

  // MARK: the network

  private func disturbNetwork(_ kind: Kind, _ node: Machine) {
    let network = simulator.network!
    let id = node.id.value
    let others = simulator.nodes.map(\.id.value).filter { $0 != id }
    switch kind {
    case .isolate:
      for other in others {
        network.cut(from: id, to: other)
        network.cut(from: other, to: id)
      }
      if random.chance(percent: 50) { cutFromEnsemble(node) }
    case .oneWay:
      let isDeaf = random.chance(percent: 50)
      for other in others { isDeaf ? network.cut(from: other, to: id) : network.cut(from: id, to: other) }
    case .pair:
      let other = random.pick(others)
      network.cut(from: id, to: other)
      network.cut(from: other, to: id)
    case .clientCut:
      guard !simulator.clientParties.isEmpty else { return }
      let client = random.pick(simulator.clientParties)
      if random.chance(percent: 50) { network.cut(from: client, to: id) }
      network.cut(from: id, to: client)
    default:
      for other in others { network.slowDown(from: id, to: other, ms: random.pick([20, 200])) }
    }
    say("the network of broker \(id): \(kind)")
    later(someMs()) { [unowned self] in
      say("the network is whole")
      network.healAll()
    }
  }

  // MARK: the ensemble

  private func cutFromEnsemble(_ node: Machine) {
    node.client?.cut(answersOnly: random.chance(percent: 30))
    later(someMs()) { node.client?.heal() }
  }

  private func disturbEnsemble(_ kind: Kind, _ node: Machine) {
    let ensemble = simulator.ensemble
    say("the ensemble: \(kind), broker \(node.id.value)")
    switch kind {
    case .ensembleCut: cutFromEnsemble(node)
    case .sessionEnd:
      if let client = node.client { ensemble.expire(client) }
      simulator.reached(.sessionLost)
    case .quorumLoss:
      guard ensemble.hasQuorum else { return }
      ensemble.loseQuorum()
      simulator.reached(.quorumLost)
      later(someMs()) { ensemble.regainQuorum() }
    case .staleServer:
      let server = random.below(3)
      ensemble.lag(server: server, ms: random.pick([50, 500, 2000]))
      later(someMs()) { ensemble.lag(server: server, ms: 0) }
    default:
      node.client?.loseNextAnswer(
        random.pick([.beforeApplying, .afterApplying, .applyingLater(ms: random.below(800))]))
      simulator.reached(.ambiguousAppend)
    }
  }

  // MARK: healing

  func stop() {
    isOver = true
    simulator.network.healAll()
    if !simulator.ensemble.hasQuorum { simulator.ensemble.regainQuorum() }
    for server in 0..<3 { simulator.ensemble.lag(server: server, ms: 0) }
    for node in simulator.nodes {
      node.diskUs = 50...1500
      node.clock.skewMs = 0
      node.disk.heal()
      node.disk.capacity = nil
      resume(node)
      node.client?.heal()
      if !node.isRunning { restart(node) }
    }
  }

  /// A log that could not be opened while the disk failed stays offline until its broker is started again. Until then its
  /// broker leads nothing with it, and is in sync only where nobody leads (L1).
  private func restartOffline() {
    helpCount += 1
    if helpCount % 40 == 30 {
      shutOut = Set(simulator.nodes.flatMap { node in offline(node).map { LostReplica(node, $0.key) } })
    }
    guard helpCount % 40 == 0 else { return }
    for node in simulator.nodes where node.isListening {
      let offline = offline(node)
      guard !offline.isEmpty else { continue }
      for (key, record) in offline where record.leader != .none && shutOut.contains(LostReplica(node, key)) {
        if record.leader == node.id || record.isr.contains(node.id) {
          simulator.checkers.violate(
            "L1", "broker \(node.id.value) cannot open the log of partition \(key.partition), and still counts for it")
        }
      }
      say("broker \(node.id.value) has logs that are offline: it is started again")
      simulator.reached(.offlineLog)
      node.kill()
      restart(node)
    }
  }

  /// The replicas that a broker cannot serve.
  private func offline(_ node: Machine) -> [(key: TopicIDPartition, record: PartitionImage)] {
    guard node.isListening else { return [] }
    let image = simulator.checkers.metadata.image
    return image.topicNames.flatMap { name -> [(key: TopicIDPartition, record: PartitionImage)] in
      guard let topic = image.topic(named: name) else { return [] }
      return topic.partitions.enumerated().compactMap { number, record in
        let key = TopicIDPartition(topic.id, Int32(number))
        guard record.replicas.contains(node.id), simulator.checkers.replicas.replica(key, of: node) == nil else {
          return nil
        }
        return (key, record)
      }
    }
  }

  /// An operator looks after what cannot heal by itself: nobody may lead who has not lost something, perhaps.
  func helpAlong() {
    let image = simulator.checkers.metadata.image
    for node in simulator.nodes where !node.isRunning { restart(node) }
    restartOffline()
    for name in image.topicNames {
      guard let topic = image.topic(named: name) else { continue }
      for (number, record) in topic.partitions.enumerated() where record.leader == .none {
        let key = TopicIDPartition(topic.id, Int32(number))
        guard record.isr.allSatisfy({ record.doubtfulReplicas.contains($0) }) else { continue }
        operatorElected.insert(key)
        simulator.admin.electUncleanly(TopicPartition(name, Int32(number)))
      }
    }
  }
}

/// A replica that a broker could not serve in one of its lives.
private struct LostReplica: Hashable {
  let broker: BrokerID
  let life: Int
  let partition: TopicIDPartition
  init(_ node: Machine, _ partition: TopicIDPartition) {
    broker = node.id
    life = node.life
    self.partition = partition
  }
}
