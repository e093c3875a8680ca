internal import Configuration
internal import Primitives
internal import Storage

/// What may be seen, and acknowledged at acks=all.
extension Partition {
  /// Takes notice of what has been written or flushed here, of fetches, and of another isr: the high watermark of a leader
  /// is the least of what is safe on each replica of the maximal isr. Returns whether there is more than before; never on a
  /// follower, whose leader tells.
  package func advanceHighWatermark() -> Bool {
    guard let leading else { return false }
    guard isReplicatedEnough(leading) else { return false }
    var safe = safeEndOffset
    guard safe > highWatermark else { return false }
    for replica in leading.replicas where counts(replica, leading) {
      guard let end = replica.logEndOffset, end > highWatermark else { return false }
      safe = min(safe, end)
    }
    highWatermark = safe
    return true
  }

  /// With fewer replicas in sync than `min.insync.replicas`, what those few have is not safe enough to be shown
  /// (KAFKA-15583): if it were, the loss of one of them could take what others have read.
  private func isReplicatedEnough(_ leading: LeaderState) -> Bool {
    #if DEBUG
      if mutation == .highWatermarkBelowMinIsr { return true }
    #endif
    return leading.isr.count >= minIsr(leading)
  }

  /// How many have to be in sync: `min.insync.replicas`, but no more than there are replicas (Kafka's `effectiveMinIsr`).
  func minIsr(_ leading: LeaderState) -> Int { min(Int(config.minInsyncReplicas), leading.replicas.count + 1) }

  /// Whether the high watermark may not pass a replica. One that is about to join the isr counts too: else, under load, it
  /// would always find the high watermark ahead of it.
  private func counts(_ replica: RemoteReplica, _ leading: LeaderState) -> Bool {
    #if DEBUG
      if mutation == .highWatermarkOverCommittedIsr { return leading.isr.contains(replica.id) }
    #endif
    if leading.mayBeInSync(replica.id) { return true }
    return replica.isEligible && replica.logEndOffset != nil
      && replica.isCaughtUp(to: log.logEndOffset, now: leading.clock, lagMaxMs: replicaLagTimeMaxMs)
  }

  /// Whether the end of what may be seen is known: a new leader may show less than the one before it did, until the high
  /// watermark has come to the start of its term (OFFSET_NOT_AVAILABLE to who asks for the latest offset).
  package var isEndKnown: Bool { leading.map { highWatermark >= $0.epochStartOffset } ?? true }
}
