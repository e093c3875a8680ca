package import Cluster
package import Primitives
internal import Storage

/// What the cluster's metadata makes of a partition.
extension Partition {
  /// Takes a newer image of the partition, or the same one with other `brokers`: their epochs, and whether they are active.
  /// An image older than the last one changes nothing. Say `advanceHighWatermark` afterwards: a smaller isr may let it go on.
  ///
  /// - Parameter brokers: those of the cluster's image; this one among them.
  package func apply(
    _ image: PartitionImage, brokers: [BrokerID: BrokerRegistration], now: Instant
  ) -> RoleChange {
    brokerEpoch = brokers[brokerID]?.epoch ?? -1
    noteBrokers(brokers, image)
    guard image.leaderEpoch >= leaderEpoch, image.partitionEpoch >= partitionEpoch else { return .none }
    let before = role
    let isNewTerm = image.leaderEpoch > leaderEpoch
    let isNewer = isNewTerm || image.partitionEpoch > partitionEpoch
    leaderEpoch = image.leaderEpoch
    partitionEpoch = image.partitionEpoch
    guard image.replicas.contains(brokerID) else {
      becomeIdle()
      return before == .idle && !isNewer ? .none : .isNoReplica
    }
    if image.leader == brokerID {
      lead(image, isNewTerm: isNewTerm || leading == nil, isNewer: isNewer, now)
      noteBrokers(brokers, image)
      return isNewTerm || before != .leader ? .leads(leaderEpoch) : .none
    }
    guard image.leader != .none else {
      becomeIdle()
      return before == .idle ? .none : .pauses
    }
    guard isNewTerm || before != .follower(of: image.leader) else { return .none }
    follow(image.leader, before)
    return .follows(image.leader, leaderEpoch)
  }

  private func becomeIdle() {
    #if DEBUG
      if mutation == .keepFollowerStateOnReAdd { keepFollowerState() }
    #endif
    leading = nil
    following = nil
  }

  // MARK: leading

  private func lead(_ image: PartitionImage, isNewTerm: Bool, isNewer: Bool, _ now: Instant) {
    guard isNewer || isNewTerm else { return }
    let before = leading
    #if DEBUG
      if mutation == .keepFollowerStateOnReAdd { keepFollowerState() }
    #endif
    let replicas = image.replicas.filter { $0 != brokerID }.map { id in
      remote(id, of: image, isNewTerm: isNewTerm, before, now)
    }
    following = nil
    guard isNewTerm else {
      leading?.replicas = replicas
      leading?.take(isr: image.isr, now)
      settleProposals()
      return
    }
    leading = LeaderState(
      epochStartOffset: log.logEndOffset, isr: image.isr, replicas: replicas, clock: now)
    log.beginLeaderEpoch(leaderEpoch)
    _ = advanceHighWatermark()
  }

  /// What is known of a follower from here on: in a new term nothing but its time to show itself. A fetch of an earlier term
  /// promises nothing, for the follower may have cut its log since.
  private func remote(
    _ id: BrokerID, of image: PartitionImage, isNewTerm: Bool, _ before: LeaderState?, _ now: Instant
  ) -> RemoteReplica {
    let known = before?.replicas.first { $0.id == id }
    #if DEBUG
      if mutation == .keepFollowerStateOnReAdd, let kept = known ?? keptFollowers[id] { return kept }
    #endif
    if !isNewTerm, let known { return known }
    var replica = RemoteReplica(id: id, isCaughtUp: image.isr.contains(id), now: now)
    // The same leader in a new term: who was caught up then goes on being so for its time.
    if let known { replica.lastCaughtUp = max(replica.lastCaughtUp, known.lastCaughtUp) }
    return replica
  }

  private func noteBrokers(_ brokers: [BrokerID: BrokerRegistration], _ image: PartitionImage) {
    guard var state = leading else { return }
    for position in state.replicas.indices {
      let id = state.replicas[position].id
      let broker = brokers[id]
      state.replicas[position].brokerEpoch = broker?.epoch ?? -1
      state.replicas[position].isActive = (broker?.isActive ?? false) && !image.offlineReplicas.contains(id)
      state.replicas[position].rack = broker?.rack
    }
    leading = state
  }

  // MARK: following

  private func follow(_ leader: BrokerID, _ before: PartitionRole) {
    #if DEBUG
      if mutation == .keepFollowerStateOnReAdd { keepFollowerState() }
    #endif
    leading = nil
    // A term of its own in which nothing was written is none that its leader has to know.
    log.forgetEmptyLeaderEpochs()
    var state = FollowerState(leader: leader)
    #if DEBUG
      if mutation == .skipTruncationIfLeaderUnchanged, before == .follower(of: leader) {
        state.comparesHistories = false
      }
    #endif
    following = state
  }

  #if DEBUG
    private func keepFollowerState() {
      for replica in leading?.replicas ?? [] { keptFollowers[replica.id] = replica }
    }
  #endif
}
