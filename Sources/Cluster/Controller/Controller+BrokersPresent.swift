internal import Configuration
internal import KafkaProtocol
internal import Primitives

extension Controller {
  /// All in one decision, in the order that is safe even if it were read in parts: first those whose life has ended lose
  /// what they had, then the brokers' new lives are known, then they may lead.
  func settleBrokers(_ present: [PresentBroker]) -> Decision<MetadataRecord, ControllerReply> {
    #if DEBUG
      var changes = BrokerChanges(known: image.brokers, present: present)
      if mutation == .restartKeepsIsr { changes.forgetRestarts() }
    #else
      let changes = BrokerChanges(known: image.brokers, present: present)
    #endif
    if changes.isEmpty { return Decision(reply: .brokersSettled(brokerCount: 0, partitionCount: 0)) }
    var brokers = image.brokers
    for broker in changes.fenced + changes.arrived { brokers[broker.id] = broker }
    #if DEBUG
      var after = BrokersAfter(changes: changes, living: LivingBrokers(brokers))
      after.ignoresIsr = mutation == .cleanElectionIgnoresIsr
    #else
      let after = BrokersAfter(changes: changes, living: LivingBrokers(brokers))
    #endif
    var losses: [MetadataRecord] = []
    var gains: [MetadataRecord] = []
    changePartitions(where: after.concerns) { partition, config in
      after.settled(partition, config)
    } note: { record, partition in
      if after.hasArrived(partition.leader) { gains.append(record) } else { losses.append(record) }
    }
    let registrations = (changes.fenced + changes.arrived).map(\.metadataRecord)
    return Decision(
      records: losses + registrations + gains,
      reply: .brokersSettled(brokerCount: registrations.count, partitionCount: losses.count + gains.count))
  }
}

/// What the partitions are to be once the brokers have changed.
private struct BrokersAfter {
  let changes: BrokerChanges
  let living: LivingBrokers
  private let arrived: Set<BrokerID>
  #if DEBUG
    /// See `Mutation.cleanElectionIgnoresIsr`.
    var ignoresIsr = false
  #endif

  init(changes: BrokerChanges, living: LivingBrokers) {
    self.changes = changes
    self.living = living
    arrived = Set(changes.arrived.map(\.id))
  }

  func hasArrived(_ broker: BrokerID) -> Bool { arrived.contains(broker) }

  /// Whether anything about the partition may be otherwise.
  func concerns(_ partition: PartitionImage) -> Bool {
    partition.isr.contains(where: changes.ended.contains)
      || (partition.leader == .none && partition.replicas.contains(where: arrived.contains))
      || partition.offlineReplicas.contains { changes.returned[$0] != nil }
  }

  func settled(_ old: PartitionImage, _ config: TopicConfig) -> PartitionImage? {
    var partition = old
    var isNewTerm = false
    // What a broker could not serve in one life it may serve in the next; else it says so again.
    partition.offlineReplicas.removeAll { changes.returned[$0] != nil }
    if old.isr.contains(where: changes.ended.contains) {
      let survivors = old.isr.filter {
        !changes.ended.contains($0) && living.isAlive($0) && !old.offlineReplicas.contains($0)
      }
      if survivors.isEmpty { keepWhoCount(in: &partition, config) } else { partition.isr = survivors }
      // A process that begins anew is not the leader that it was, unless nothing can have changed and nobody follows it.
      isNewTerm =
        partition.isr == [old.leader]
        && changes.returned[old.leader].map { !$0.wasStopped || old.replicas.count > 1 } ?? false
    }
    #if DEBUG
      var election = LeaderElection(brokers: living, isUncleanAllowed: config.uncleanLeaderElectionEnable)
      election.ignoresIsr = ignoresIsr
    #else
      let election = LeaderElection(brokers: living, isUncleanAllowed: config.uncleanLeaderElectionEnable)
    #endif
    return election.settled(partition, from: old, isNewTerm: isNewTerm)
  }

  /// Nobody in sync has lived on: who of the ISR counts is one that is back and has all; else those of whom nobody knows
  /// yet; else one that may have lost something, which does not lead then unless it is allowed.
  private func keepWhoCount(in partition: inout PartitionImage, _ config: TopicConfig) {
    let back = partition.isr.filter { changes.returned[$0] != nil }
    let doubtful = back.filter { isDoubtful($0, in: partition, config) }
    if let best = first(of: back.filter { !doubtful.contains($0) }, in: partition) {
      partition.isr = [best]
      return
    }
    let away = partition.isr.filter { changes.returned[$0] == nil }
    guard away.isEmpty || config.uncleanLeaderElectionEnable, let best = first(of: doubtful, in: partition) else {
      partition.isr = away
      return
    }
    partition.isr = [best]
    partition.doubtfulReplicas = [best]
  }

  /// Whether its last life may have cost it records that were acknowledged; what is in doubt already stays so. Of a
  /// partition that lives on one broker no better copy can exist: it goes on with what is left, as long as the broker's first
  /// folder is the same.
  private func isDoubtful(_ broker: BrokerID, in partition: PartitionImage, _ config: TopicConfig) -> Bool {
    guard let back = changes.returned[broker] else { return false }
    if back.hasOtherData { return true }
    guard partition.replicas.count > 1 else { return false }
    return back.mayLackAnything || back.mayLackUnflushed && !config.isFlushedFirst
  }

  /// The leader before all others: what nobody else had yet may be kept with it.
  private func first(of candidates: [BrokerID], in partition: PartitionImage) -> BrokerID? {
    candidates.contains(partition.leader) ? partition.leader : partition.replicas.first(where: candidates.contains)
  }
}
