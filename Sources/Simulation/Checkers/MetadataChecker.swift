internal import Cluster
internal import Coordination
internal import KafkaProtocol
internal import Primitives

/// What must hold of the metadata log: one order for all brokers (R12, R14), and of each of its records (R4, R5, R11).
final class MetadataChecker {
  private unowned let simulator: ClusterSimulator
  /// Everything that was committed, as far as anybody was told.
  private(set) var image = ClusterImage()
  /// By offset, from `firstOffset` on.
  private var records: [MetadataRecord] = []
  private var firstOffset: Int64 = 0
  private var hasBegun = false
  /// Who was told last that it is the controller.
  private(set) var controller: BrokerID?
  private var elections: [Int32: BrokerID] = [:]
  /// How far each broker's present life was told.
  private var told: [BrokerID: (life: Int, next: Int64)] = [:]

  /// The last records of changes: nobody sees a part of one.
  private var changeEnds: Set<Int64> = []
  /// Brokers that have started anew by the change that is being taken in, and what was before it.
  private var restarted: [BrokerID] = []
  private var beforeChange = ClusterImage()

  /// Whose session was elected last; nil before the first election.
  private var electedSession: Int64?

  init(_ simulator: ClusterSimulator) { self.simulator = simulator }

  /// R12: who was elected last, and nobody else, changes the metadata log.
  func changed(_ writes: [EnsembleWrite], by session: Int64) {
    for write in writes {
      switch write {
      case .set("/ottla/controller_epoch", _, _): electedSession = session
      case .set("/ottla/metadata/head", let head, _):
        if let end = Self.lastOffset(head) { changeEnds.insert(end) }
        if let electedSession, electedSession != session {
          violate("R12", "somebody wrote to the metadata log who is not the controller any more")
        }
      default: break
      }
    }
  }

  private static func lastOffset(_ head: [UInt8]) -> Int64? {
    let text = String(decoding: head, as: UTF8.self)
    guard let name = text.firstRange(of: "\"lastOffset\":") else { return nil }
    return Int64(text[name.upperBound...].drop { $0 == " " }.prefix { $0.isNumber || $0 == "-" })
  }

  private func violate(_ invariant: String, _ what: String) { simulator.checkers.violate(invariant, what) }

  func committed(_ committed: CommittedRecords, to node: Machine) {
    let first = committed.firstOffset.value
    let isFirst = told[node.id]?.life != node.life
    if committed.isSnapshot { simulator.reached(.snapshotRead) }
    told[node.id] = (node.life, first + Int64(committed.records.count))
    // What a broker is told first, or told anew, may be a snapshot: other records, which stand for the same.
    if !hasBegun {
      hasBegun = true
      firstOffset = first
    } else if isFirst || committed.isSnapshot {
      return compareSnapshot(committed, node)
    }
    for (distance, record) in committed.records.enumerated() {
      let offset = first + Int64(distance)
      let place = Int(offset - firstOffset)
      if place < 0 { continue }
      if place < records.count {
        guard records[place] != record else { continue }
        return violate(
          "R12", "broker \(node.id.value) was told \(record) at \(offset) of the metadata log, others \(records[place])"
        )
      }
      guard place == records.count else {
        return violate("R12", "broker \(node.id.value) was told \(offset) of the metadata log, after \(records.count)")
      }
      records.append(record)
      if case .partition(let partition) = record { checkPartition(partition) }
      if case .broker(let broker) = record, isRestart(broker) { restarted.append(BrokerID(broker.brokerId)) }
      image.replay(record, at: Offset(offset))
      noteChange(record)
      if changeEnds.contains(offset) { endChange() }
    }
  }

  /// A snapshot stands for what was committed up to its end.
  private func compareSnapshot(_ committed: CommittedRecords, _ node: Machine) {
    var snapshot = ClusterImage()
    committed.replay(into: &snapshot)
    guard snapshot.offset == image.offset else { return }
    if snapshot.snapshotRecords() != image.snapshotRecords() {
      violate("R12", "broker \(node.id.value) read other metadata at \(image.offset.value) than what was committed")
    }
  }

  func appended(_ appended: [MetadataRecord], lastOffset: Offset, by node: Machine) {
    let last = Int(lastOffset.value - firstOffset)
    let start = last - appended.count + 1
    guard start >= 0, last < records.count, Array(records[start...last]) == appended else {
      return violate(
        "R14", "broker \(node.id.value) was told that its records are at \(lastOffset.value), they are not")
    }
  }

  func elected(_ node: Machine, _ epoch: Int32) {
    if let other = elections[epoch] {
      violate("R12", "brokers \(other.value) and \(node.id.value) are both the controller of epoch \(epoch)")
    }
    if let last = elections.filter({ $0.value == node.id }).keys.max(), last > epoch {
      violate("R12", "broker \(node.id.value) became the controller of epoch \(epoch), after its epoch \(last)")
    }
    // One that stood still hears of its election late, when another one has followed: it can write nothing any more.
    if epoch > elections.keys.max() ?? 0 { controller = node.id }
    elections[epoch] = node.id
    if elections.count > 1 { simulator.reached(.controllerChange) }
    simulator.trace.say("broker \(node.id.value) is the controller, epoch \(epoch)")
  }

  // MARK: records

  private func isRestart(_ broker: BrokerRecord) -> Bool {
    let id = BrokerID(broker.brokerId)
    guard let before = image.brokers[id], broker.brokerEpoch != before.epoch else { return false }
    if broker.brokerEpoch < before.epoch {
      violate("R5", "broker \(id.value) got epoch \(broker.brokerEpoch) after \(before.epoch)")
    }
    return true
  }

  private func endChange() {
    for id in restarted {
      checkRestart(of: id)
      noteDoubtfulLeader(id)
    }
    restarted = []
    beforeChange = image
  }

  /// R5: who has started anew is in sync only where nobody else is, and leads in a new term only. Of what the same change has
  /// made it is a replica like any other.
  private func checkRestart(of id: BrokerID) {
    for name in image.topicNames {
      guard let topic = image.topic(named: name) else { continue }
      for (number, partition) in topic.partitions.enumerated() {
        guard let before = beforeChange.topic(id: topic.id)?.partition(Int32(number)) else { continue }
        if partition.isr.contains(id), partition.isr.count > 1 {
          violate("R5", "broker \(id.value) has started anew and is still in the isr of \(name)-\(number)")
        }
        if partition.leader == id, before.leader == id, partition.replicas.count > 1,
          partition.leaderEpoch <= before.leaderEpoch
        {
          violate(
            "R5",
            "broker \(id.value) has started anew and leads \(name)-\(number) on in term \(before.leaderEpoch.value)")
        }
      }
    }
  }

  /// Who comes back with losses, and was all that was left in sync, leads at once where that is allowed: no record calls it
  /// doubtful then.
  private func noteDoubtfulLeader(_ id: BrokerID) {
    guard simulator.knobs.mayLeadUncleanly, simulator.faults.lossy.contains(id) else { return }
    for name in image.topicNames {
      guard let topic = image.topic(named: name) else { continue }
      for (number, partition) in topic.partitions.enumerated() where partition.leader == id {
        simulator.checkers.replicas.forgive(TopicIDPartition(topic.id, Int32(number)))
      }
    }
  }

  private func checkPartition(_ record: PartitionRecord) {
    guard let topic = image.topic(id: record.topicId), let before = topic.partition(record.partitionIndex) else {
      return
    }
    let name = "\(topic.name)-\(record.partitionIndex)"
    if record.leaderEpoch < before.leaderEpoch.value {
      violate("R11", "\(name) went from term \(before.leaderEpoch.value) to \(record.leaderEpoch)")
    }
    if record.leader != before.leader.value, record.leader >= 0, record.leaderEpoch <= before.leaderEpoch.value {
      violate("R11", "\(name) has another leader, \(record.leader), in the same term \(record.leaderEpoch)")
    }
    for id in record.isr.map({ BrokerID($0) }) where !before.isr.contains(id) {
      if image.brokers[id]?.isActive != true {
        violate("R4", "\(name): broker \(id.value) joined the isr, which is not active")
      }
    }
    let isClean = record.leader < 0 || before.isr.contains(BrokerID(record.leader))
    let wasDoubtful = before.doubtfulReplicas.contains(BrokerID(record.leader))
    if record.leader >= 0, !isClean || wasDoubtful { simulator.uncleanElection(of: record, before) }
  }

  private func noteChange(_ record: MetadataRecord) {
    guard case .partition(let record) = record, let topic = image.topic(id: record.topicId) else { return }
    let partition = TopicPartition(topic.name, record.partitionIndex)
    simulator.trace.say(
      "\(partition): leader \(record.leader) in term \(record.leaderEpoch), isr \(record.isr), epoch \(record.partitionEpoch)"
        + (record.doubtfulReplicas.isEmpty ? "" : ", doubtful \(record.doubtfulReplicas)"))
    if record.isr.count == 1, record.replicas.count > 1 { simulator.reached(.isrOfOne) }
    simulator.checkers.replicas.isrChanged(
      TopicIDPartition(record.topicId, record.partitionIndex), to: record.isr.count, at: record.partitionEpoch)
  }
}
