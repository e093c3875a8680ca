package import Primitives

/// What this broker is to a partition.
package enum PartitionRole: Hashable, Sendable {
  /// It leads: appends come here, followers fetch here.
  case leader
  /// It copies the log of that broker.
  case follower(of: BrokerID)
  /// It holds a replica of which nobody is the leader, or none any more: nothing is appended, nothing is copied.
  case idle
}

/// What a new image of a partition means for the shard that owns it.
package enum RoleChange: Hashable, Sendable {
  /// The role and the term are what they were; the isr, or what is known of other brokers, may differ.
  case none
  /// This broker leads from here on, in this term. It may have led in the one before: what waits for the high watermark may
  /// go on waiting then.
  case leads(LeaderEpoch)
  /// This broker copies from that one, in this term: a fetcher has to know. What waited at a leader fails.
  case follows(BrokerID, LeaderEpoch)
  /// Nobody leads: fetching ends, what waited at a leader fails.
  case pauses
  /// This broker is no replica any more: like `pauses`, and the log may go.
  case isNoReplica
}
