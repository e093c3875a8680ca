internal import Primitives

/// Replicas that a client chose itself.
struct ManualAssignment {
  /// The brokers there are.
  let image: ClusterImage
  /// Replicas each partition must have; the first partition's decide when nil.
  var replicationFactor: Int?

  /// The replicas of each partition, given as `(number, replicas)` in any order: their numbers must be 0, 1, 2...
  ///
  /// - Throws: INVALID_REPLICA_ASSIGNMENT.
  func numbered(_ partitions: [(number: Int32, replicas: [Int32])]) throws(KafkaError) -> [[BrokerID]] {
    let sorted = partitions.sorted { $0.number < $1.number }
    for (position, partition) in sorted.enumerated() {
      if position > 0, sorted[position - 1].number == partition.number {
        throw refused("Found several manual assignments of partition \(partition.number).")
      }
      if Int(partition.number) != position {
        throw refused(
          "The partitions of a manual assignment must be numbered 0, 1, 2 and so on; \(position) is missing.")
      }
    }
    return try inOrder(sorted.map(\.replicas))
  }

  /// The replicas of each partition, in the partitions' order.
  ///
  /// - Throws: INVALID_REPLICA_ASSIGNMENT.
  func inOrder(_ partitions: [[Int32]]) throws(KafkaError) -> [[BrokerID]] {
    let expected = replicationFactor ?? partitions.first?.count ?? 0
    var placed: [[BrokerID]] = []
    for replicas in partitions { placed.append(try check(replicas, expected: expected)) }
    return placed
  }

  private func check(_ replicas: [Int32], expected: Int) throws(KafkaError) -> [BrokerID] {
    let replicas = try checked(replicas)
    if replicas.count != expected {
      throw refused(
        "The manual partition assignment includes a partition with \(replicas.count) replica(s), "
          + "but other partitions have \(expected) replica(s).")
    }
    if !replicas.contains(where: { image.brokers[$0]?.isActive == true }) {
      throw refused("The manual partition assignment includes a partition none of whose brokers is active.")
    }
    return replicas
  }

  /// The replicas of one partition that is there already: registered brokers, each once.
  ///
  /// - Throws: INVALID_REPLICA_ASSIGNMENT.
  func checked(_ replicas: [Int32]) throws(KafkaError) -> [BrokerID] {
    if replicas.isEmpty { throw refused("The manual partition assignment includes an empty replica list.") }
    var seen: Set<Int32> = []
    for replica in replicas {
      if image.brokers[BrokerID(replica)] == nil {
        throw refused("The manual partition assignment includes broker \(replica), but no such broker is registered.")
      }
      if !seen.insert(replica).inserted {
        throw refused("The manual partition assignment includes broker \(replica) more than once.")
      }
    }
    return replicas.map { BrokerID($0) }
  }

  private func refused(_ message: String) -> KafkaError { KafkaError(.invalidReplicaAssignment, message) }
}
