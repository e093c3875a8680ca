/// Partitions come to a member of a group, or go (Kafka's `ConsumerRebalanceListener`).
///
/// ```swift
/// configuration.onRebalance = { rebalance in
///   print(rebalance.kind, rebalance.partitions)
///   if rebalance.kind == .revoked { try? await rebalance.consumer.commit() }
/// }
/// ```
public struct Rebalance: Sendable {
  /// What happens to the partitions.
  ///
  /// ```swift
  /// configuration.onRebalance = { rebalance in
  ///   for partition in rebalance.partitions {
  ///     switch rebalance.kind {
  ///     case .assigned:
  ///       // The database knows how far it is: what it has and where it stands were written together.
  ///       guard let offset = await database.offset(of: partition) else { continue }
  ///       try? await rebalance.consumer.seek(partition, to: .offset(offset))
  ///     case .revoked: await database.flush(partition)  // while the partition is still this member's
  ///     case .lost: await database.forget(partition)  // it is another member's already
  ///     }
  ///   }
  /// }
  /// ```
  public enum Kind: String, Sendable {
    /// They are this member's from now on. Its records have not begun to come: `consumer.seek` says where they begin.
    case assigned
    /// They go to others, or nowhere, when the closure returns. Until then they are this member's: it may commit.
    case revoked
    /// They have gone already: the group had waited too long for this member. A commit would be refused.
    case lost
  }

  /// What happens.
  public let kind: Kind
  /// Which partitions, in order: all with `range` and `roundRobin`, those that move with `cooperativeSticky`.
  public let partitions: [TopicPartition]
  /// The member. Do not close it, and do not wait for the loop that reads from it.
  public let consumer: Consumer
}
