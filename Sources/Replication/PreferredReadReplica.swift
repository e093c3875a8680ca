package import Primitives
internal import Storage

/// Which replica a consumer is told to read from: the one in its own rack (KIP-392, `RackAwareReplicaSelector`).
extension Partition {
  /// A replica in `rack` that is in sync, caught up, and has `offset`; the one that is furthest, where there are several.
  /// nil where the leader itself is to serve: it is in that rack, or nobody is.
  package func preferredReadReplica(
    rack: String?, ownRack: String?, offset: Offset, now: Instant
  ) -> BrokerID? {
    guard let leading, let rack, !rack.isEmpty, rack != ownRack else { return nil }
    let candidates = leading.replicas.filter { replica in
      guard let end = replica.logEndOffset, replica.rack == rack, replica.isEligible, leading.isr.contains(replica.id)
      else { return false }
      return replica.logStartOffset <= offset && offset <= end
        && replica.isCaughtUp(to: log.logEndOffset, now: now, lagMaxMs: replicaLagTimeMaxMs)
    }
    return candidates.max { left, right in
      let ends = (left.logEndOffset ?? .zero, right.logEndOffset ?? .zero)
      return ends.0 == ends.1 ? left.id > right.id : ends.0 < ends.1
    }?.id
  }
}
