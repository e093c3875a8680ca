internal import Broker
internal import Cluster
internal import Primitives

/// Faults that come in steps, each when the one before has had its effect: what chance alone brings together too seldom.
extension Faults {
  /// Waits until `condition` holds, some time at most, then goes on.
  private func when(withinMs ms: Int64, _ condition: @escaping () -> Bool, _ then: @escaping () -> Void) {
    guard !isOver, ms > 0 else { return }
    if condition() { return then() }
    simulator.call("race", inMs: 2) { [unowned self] in when(withinMs: ms - 2, condition, then) }
  }

  private func record(_ partition: TopicPartition) -> PartitionImage? {
    simulator.checkers.metadata.image.topic(named: partition.topic)?.partition(partition.partition)
  }

  private func registration(_ node: Machine) -> BrokerRegistration? {
    simulator.checkers.metadata.image.brokers[node.id]
  }

  /// A replica has caught up, and its leader asks the controller to take it into the isr. Before that is heard, the replica
  /// loses what it has, and its broker is known under a new epoch; it has copied nothing again when the word arrives (KIP-903).
  func joinTooLate() {
    let partition = somePartition()
    guard let before = record(partition), before.leader != .none,
      let controller = simulator.checkers.metadata.controller, controller != before.leader,
      let joining = before.replicas.first(where: { $0 != before.leader && $0 != controller }).flatMap({
        simulator.node($0)
      }),
      joining.isListening, maySpend(on: joining)
    else { return }
    say("broker \(joining.id.value) is to join the isr of \(partition) when it has lost everything")
    let leader = before.leader
    joining.kill()
    restartLater(joining, afterMs: 5)
    let isAlmostBack = { [unowned self] in
      guard let record = record(partition), record.leader == leader, let known = registration(joining) else {
        return false
      }
      return joining.isRunning && joining.shards[0].brokerEpoch == known.epoch && known.isActive
        && !record.isr.contains(joining.id)
    }
    when(withinMs: 1000, isAlmostBack) { [unowned self] in
      simulator.network.cut(from: leader.value, to: controller.value)
      simulator.call("race", inMs: Int64(10 + random.below(80))) { [unowned self] in
        guard !isOver, isAlmostBack() else { return }
        loseBeforeJoining(joining, leader, controller)
      }
    }
  }

  private func loseBeforeJoining(_ joining: Machine, _ leader: BrokerID, _ controller: BrokerID) {
    guard maySpend(on: joining), let old = registration(joining)?.epoch else { return }
    loseDisk(joining, restartMs: 5)
    simulator.network.cut(from: leader.value, to: joining.id.value)
    let isKnownAnew = { [unowned self] in
      guard let known = registration(joining) else { return false }
      return known.epoch != old && known.isActive && joining.isRunning
    }
    when(withinMs: 2 * simulator.knobs.sessionTimeoutMs + 500, isKnownAnew) { [unowned self] in
      simulator.network.heal(from: leader.value, to: controller.value)
      simulator.call("race", inMs: 100) { [unowned self] in
        if !isOver { simulator.network.heal(from: leader.value, to: joining.id.value) }
      }
    }
  }

  /// A replica goes to another broker and comes back at once, with nothing in it, while nobody writes: what its leader knew of
  /// it before is not so any more.
  func takeAwayAndBringBack() {
    let name = random.chance(percent: 70) ? ClusterSimulator.topic : "__consumer_offsets"
    let count = simulator.checkers.metadata.image.topic(named: name)?.partitions.count ?? 0
    guard count > 0 else { return }
    let partition = TopicPartition(name, Int32(random.below(count)))
    guard let before = record(partition), before.leader != .none, !before.isReassigning,
      let going = before.isr.first(where: { $0 != before.leader }),
      let spare = simulator.nodes.first(where: { !before.replicas.contains($0.id) && $0.isListening })
    else { return }
    say("\(partition) goes from broker \(going.value) to \(spare.id.value) and back")
    simulator.reached(.reassigned)
    simulator.rest(partition, ms: 1500)
    let leader = before.leader
    simulator.admin.reassign(partition, to: before.replicas.map { $0 == going ? spare.id : $0 })
    let isGone = { [unowned self] in
      guard let now = record(partition) else { return false }
      return !now.isReassigning && !now.replicas.contains(going) && now.leader == leader
    }
    when(withinMs: 1000, isGone) { [unowned self] in
      simulator.network.cut(from: going.value, to: leader.value)
      simulator.admin.reassign(partition, to: before.replicas)
      simulator.call("race", inMs: Int64(200 + random.below(600))) { [unowned self] in
        if !isOver { simulator.network.heal(from: going.value, to: leader.value) }
      }
    }
  }

  /// A replica comes back and is about to join the isr, and loses what it has while its leader's word is on the way to the
  /// controller (KIP-903).
  func delayJoin() {
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
  func delayAppend() {
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
}
