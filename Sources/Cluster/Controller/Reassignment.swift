package import Primitives

extension PartitionImage {
  /// Whether replicas are on the move.
  package var isReassigning: Bool { !addingReplicas.isEmpty || !removingReplicas.isEmpty }

  /// The replicas that are to stay; all of them where none are on the move.
  package var targetReplicas: [BrokerID] { replicas.filter { !removingReplicas.contains($0) } }

  /// The replicas as they were before the move under way.
  package var originalReplicas: [BrokerID] { replicas.filter { !addingReplicas.contains($0) } }

  /// The replica that leads where it can.
  package var preferredLeader: BrokerID { replicas.first ?? .none }

  /// This partition on its way to `target`, instead of to where it was going. What an earlier move had added and this one
  /// does not want goes at once (KIP-455); the ISR may be empty then.
  func reassigned(to target: [BrokerID]) -> PartitionImage {
    let original = originalReplicas
    var partition = self
    partition.addingReplicas = target.filter { !original.contains($0) }
    partition.removingReplicas = original.filter { !target.contains($0) }
    partition.replicas = target + partition.removingReplicas
    partition.isr = isr.filter(partition.replicas.contains)
    return partition
  }

  /// This partition without the move under way.
  func withReassignmentCancelled() -> PartitionImage { reassigned(to: originalReplicas) }
}
