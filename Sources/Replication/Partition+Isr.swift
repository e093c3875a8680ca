package import Primitives
internal import Storage

/// Which replicas are in sync: the leader proposes, the controller decides (KIP-497).
///
/// One proposal at a time. From when it is made until it is known what became of it, the high watermark counts the members
/// of both sets: the new one may be committed, and a leader elected from it, before this broker hears of it.
extension Partition {
  /// What to ask the controller for now, if anything: a set with those that have caught up, without those that lag; or the
  /// last proposal again, when its time has come. Ask after each fetch of a follower outside the isr, and every half of
  /// `replica.lag.time.max.ms`; `advanceHighWatermark` afterwards.
  package func isrChange(now: Instant) -> IsrProposal? {
    leading?.clock = now
    guard let state = leading, !log.isFenced else { return nil }
    if let open = state.proposal {
      guard let retryAt = open.retryAt, retryAt <= now else { return nil }
      leading?.proposal?.retryAt = nil
      return open.proposal
    }
    if let paused = state.pausedUntil, now < paused { return nil }
    var members = Set(state.isr)
    for replica in state.replicas {
      if members.contains(replica.id) {
        if !replica.isCaughtUp(to: log.logEndOffset, now: now, lagMaxMs: replicaLagTimeMaxMs) {
          members.remove(replica.id)
        }
      } else if mayJoin(replica, state) {
        members.insert(replica.id)
      }
    }
    guard members != Set(state.isr) || state.mustSettle else { return nil }
    let proposal = IsrProposal(
      leaderEpoch: leaderEpoch, partitionEpoch: partitionEpoch,
      isr: members.sorted().map { IsrProposal.Member(id: $0, brokerEpoch: brokerEpoch(of: $0, state)) })
    leading?.pausedUntil = nil
    leading?.proposal = LeaderState.OpenProposal(proposal: proposal)
    return proposal
  }

  /// When `isrChange` has something to say again that no fetch brings: a proposal to be repeated.
  package var isrRetryAt: Instant? { leading.flatMap { $0.proposal?.retryAt ?? $0.pausedUntil } }

  /// A replica joins when it has fetched in this term, holds everything that may be seen, and everything from before the
  /// term: the high watermark alone may lag behind what the leader before has acknowledged (KAFKA-7128). It has let go of what
  /// lies before the leader's log, for of that nobody can say any more whether it is the same.
  private func mayJoin(_ replica: RemoteReplica, _ state: LeaderState) -> Bool {
    guard let end = replica.logEndOffset, replica.isEligible, end >= highWatermark else { return false }
    #if DEBUG
      if mutation == .joinWithoutEpochStart { return true }
    #endif
    return end >= state.epochStartOffset && replica.logStartOffset >= log.logStartOffset
  }

  /// The broker epoch to vouch for: the one in which the member fetched here, else the one that the cluster knows.
  private func brokerEpoch(of id: BrokerID, _ state: LeaderState) -> Int64 {
    guard id != brokerID, let position = state.position(of: id) else { return brokerEpoch }
    let replica = state.replicas[position]
    return replica.fetchedBrokerEpoch >= 0 ? replica.fetchedBrokerEpoch : replica.brokerEpoch
  }

  /// Takes what became of `proposal`. Then ask `advanceHighWatermark`.
  package func isrAnswered(_ proposal: IsrProposal, _ answer: IsrAnswer, now: Instant) -> IsrOutcome {
    guard let open = leading?.proposal, open.proposal == proposal, !open.waitsForImage else { return .stale }
    switch answer {
    case .committed(let epoch, let isr, let committedEpoch):
      // Taken for good, and not written down, for it is so already: what else is under way may still be taken.
      if epoch == leaderEpoch, committedEpoch == partitionEpoch { return drop(isAmbiguous: false, now) }
      guard epoch == leaderEpoch, committedEpoch > partitionEpoch, isr.contains(brokerID) else {
        return waitForImage()
      }
      leading?.take(isr: isr, now)
      partitionEpoch = committedEpoch
      settleProposals()
      return .committed
    case .unanswered: return retry(now)
    case .refused(let code): return refused(code, isAmbiguous: open.isAmbiguous, now)
    }
  }

  private func refused(_ code: ErrorCode, isAmbiguous: Bool, _ now: Instant) -> IsrOutcome {
    switch code {
    // This broker knows too little, and its image will tell: another leader, another state, a deleted topic.
    case .fencedLeaderEpoch, .invalidUpdateVersion, .notLeaderOrFollower, .newLeaderElected, .unknownTopicId,
      .unknownTopicOrPartition:
      return waitForImage()
    // The proposal itself is not acceptable, now or ever.
    case .ineligibleReplica, .invalidRequest, .operationNotAttempted:
      return drop(isAmbiguous: isAmbiguous, now)
    // The controller moved, is busy, does not know this broker's new epoch yet, or has no words for what ails it.
    case _: return retry(now)
    }
  }

  /// How long until a proposal is made again, or another one, after it came to nothing.
  static var isrRetryBackoffMs: Int64 { 200 }

  private func retry(_ now: Instant) -> IsrOutcome {
    let at = now.advanced(byMilliseconds: Self.isrRetryBackoffMs)
    leading?.proposal?.retryAt = at
    leading?.proposal?.isAmbiguous = true
    return .retry(at: at)
  }

  private func waitForImage() -> IsrOutcome {
    leading?.proposal?.waitsForImage = true
    return .waitsForImage
  }

  /// Refused for good. Where an earlier sending of it may still be under way, its members go on counting, and the next
  /// proposal, though it be nothing new, makes that one too late.
  private func drop(isAmbiguous: Bool, _ now: Instant) -> IsrOutcome {
    let next = now.advanced(byMilliseconds: Self.isrRetryBackoffMs)
    if isAmbiguous, let open = leading?.proposal {
      leading?.possibleMembers.formUnion(open.proposal.isr.map(\.id))
      leading?.mustSettle = true
    }
    leading?.proposal = nil
    leading?.pausedUntil = next
    return .dropped(next: next)
  }

  /// The partition's record is a later one than any proposal was made for: what was open came about, or never will.
  func settleProposals() {
    leading?.proposal = nil
    leading?.possibleMembers = []
    leading?.mustSettle = false
    leading?.pausedUntil = nil
  }
}
