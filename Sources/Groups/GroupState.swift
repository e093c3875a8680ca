/// Where a classic group stands between two rebalances; the raw values are the names on the wire.
///
/// Kafka's `Dead` is no state here: a group that is gone is not kept.
package enum GroupState: String, Sendable {
  /// No members. The group may still hold offsets.
  case empty = "Empty"
  /// Members are asked to join again; their JoinGroup requests are parked.
  case preparingRebalance = "PreparingRebalance"
  /// All have joined; the leader's assignment is awaited, SyncGroup requests are parked.
  case completingRebalance = "CompletingRebalance"
  /// All members may fetch their assignment.
  case stable = "Stable"
}
