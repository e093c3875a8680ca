internal import Primitives

/// Brings a partition to rest after something about it has changed: ends a reassignment that is done, and sees to the
/// leader.
///
/// A partition with a leader has none but living brokers in its ISR, that can serve their replicas. Without a leader its ISR are those of whom any may
/// lead when it comes back: nothing was committed since all of them were in sync.
struct LeaderElection {
  let brokers: LivingBrokers
  /// Whether a replica may lead that is not, or not surely, in sync.
  let isUncleanAllowed: Bool
  #if DEBUG
    /// See `Mutation.cleanElectionIgnoresIsr`.
    var ignoresIsr = false
  #endif

  /// `changed`, settled and with its next epochs; nil when in the end it is as it was.
  ///
  /// - Parameters:
  ///   - isNewTerm: the leader needs another epoch even where it stays.
  ///   - isRecorded: there is a next state even where nothing differs: a leader that asks for the ISR there is wants what it
  ///     asked for before, and may be under way yet, to come too late.
  func settled(
    _ changed: PartitionImage, from old: PartitionImage, isNewTerm: Bool = false, isRecorded: Bool = false
  ) -> PartitionImage? {
    var partition = changed
    partition.doubtfulReplicas.removeAll { !partition.isr.contains($0) }
    elect(&partition)
    if completeReassignment(of: &partition) { elect(&partition) }
    partition.offlineReplicas.removeAll { !partition.replicas.contains($0) }
    precondition(!partition.isr.isEmpty, "no replica of \(old) would be in sync")
    if partition == old, !isNewTerm, !isRecorded { return nil }
    // A replica that goes may come again with nothing: what its leader knew of it must not outlive that, and each term
    // begins with nothing known.
    let losesReplica = !old.replicas.allSatisfy(partition.replicas.contains)
    if partition.leader != old.leader || isNewTerm || losesReplica {
      partition.leaderEpoch = LeaderEpoch(old.leaderEpoch.value &+ 1)
    }
    partition.partitionEpoch = old.partitionEpoch &+ 1
    return partition
  }

  /// Whether `broker` has everything that was committed, and may lead now.
  func isEligible(_ broker: BrokerID, in partition: PartitionImage) -> Bool {
    partition.isr.contains(broker) && !partition.doubtfulReplicas.contains(broker) && isActive(broker, in: partition)
  }

  /// Whether `broker` is alive, and can serve its replica.
  private func isActive(_ broker: BrokerID, in partition: PartitionImage) -> Bool {
    brokers.isActive(broker) && !partition.offlineReplicas.contains(broker)
  }

  private func isAlive(_ broker: BrokerID, in partition: PartitionImage) -> Bool {
    brokers.isAlive(broker) && !partition.offlineReplicas.contains(broker)
  }

  /// The first active replica that may lead where records may be lost: one of the ISR before all others.
  func uncleanLeader(of partition: PartitionImage) -> BrokerID? {
    let active = partition.replicas.filter { isActive($0, in: partition) }
    return active.first(where: partition.isr.contains) ?? active.first
  }

  private func elect(_ partition: inout PartitionImage) {
    if !maySustainLeader(of: partition) { partition.leader = newLeader(of: &partition) ?? .none }
    guard partition.leader != .none else { return }
    let settled = partition
    partition.isr.removeAll { !isAlive($0, in: settled) }
  }

  private func maySustainLeader(of partition: PartitionImage) -> Bool {
    let leader = partition.leader
    return partition.isr.contains(leader) && !partition.doubtfulReplicas.contains(leader)
      && isAlive(leader, in: partition)
  }

  /// The preferred one of those in sync; where there is none and it is allowed, one that is not: it stands alone then.
  private func newLeader(of partition: inout PartitionImage) -> BrokerID? {
    #if DEBUG
      if ignoresIsr, let leader = partition.replicas.first(where: brokers.isActive) {
        if !partition.isr.contains(leader) { partition.isr.append(leader) }
        return leader
      }
    #endif
    if let leader = partition.replicas.first(where: { isEligible($0, in: partition) }) { return leader }
    guard isUncleanAllowed, let leader = uncleanLeader(of: partition) else { return nil }
    partition.isr = [leader]
    partition.doubtfulReplicas = []
    return leader
  }

  /// A reassignment is done when all replicas it is for are in sync (KIP-455). One of them must lead, or be able to: until
  /// then what the others hold is not given away.
  private func completeReassignment(of partition: inout PartitionImage) -> Bool {
    guard partition.isReassigning else { return false }
    let target = partition.targetReplicas
    guard target.allSatisfy(partition.isr.contains),
      target.contains(partition.leader) || target.contains(where: { isEligible($0, in: partition) })
    else { return false }
    partition.replicas = target
    partition.isr.removeAll { !target.contains($0) }
    partition.doubtfulReplicas.removeAll { !target.contains($0) }
    partition.addingReplicas = []
    partition.removingReplicas = []
    return true
  }
}
