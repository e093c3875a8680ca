internal import Broker
internal import Cluster
internal import Primitives

/// The end of all faults, and who looks after what does not heal by itself.
extension Faults {
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
struct LostReplica: Hashable {
  let broker: BrokerID
  let life: Int
  let partition: TopicIDPartition
  init(_ node: Machine, _ partition: TopicIDPartition) {
    broker = node.id
    life = node.life
    self.partition = partition
  }
}
