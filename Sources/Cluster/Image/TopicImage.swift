package import Primitives

/// Where a partition lives and who leads it.
package struct PartitionImage: Hashable, Sendable {
  /// The brokers that hold the partition, the preferred leader first.
  package var replicas: [BrokerID]
  /// The replicas that are in sync, at least one. Without a leader: those that were when the last one was lost.
  package var isr: [BrokerID]
  /// `.none` while no replica may lead.
  package var leader: BrokerID
  /// Grows with each new leader, and with each unclean start of one.
  package var leaderEpoch: LeaderEpoch
  /// Grows with each change of this partition's record (KIP-841).
  package var partitionEpoch: Int32
  /// Those of `replicas` that a reassignment under way brings (KIP-455).
  package var addingReplicas: [BrokerID]
  /// Those of `replicas` that go when it is done.
  package var removingReplicas: [BrokerID]
  /// Those of `isr` that may have lost acknowledged records with their machine or their disk: they lead only where an
  /// unclean leader is allowed.
  package var doubtfulReplicas: [BrokerID]
  /// Those of `replicas` whose broker has said, in its present life, that it cannot serve them: the log cannot be opened, or
  /// its folder has failed (KIP-858). They lead nothing, and are in the isr only where there is no leader.
  package var offlineReplicas: [BrokerID]
  package init(
    replicas: [BrokerID], isr: [BrokerID], leader: BrokerID, leaderEpoch: LeaderEpoch, partitionEpoch: Int32,
    addingReplicas: [BrokerID] = [], removingReplicas: [BrokerID] = [], doubtfulReplicas: [BrokerID] = [],
    offlineReplicas: [BrokerID] = []
  ) {
    self.offlineReplicas = offlineReplicas
    self.addingReplicas = addingReplicas
    self.removingReplicas = removingReplicas
    self.doubtfulReplicas = doubtfulReplicas
    self.replicas = replicas
    self.isr = isr
    self.leader = leader
    self.leaderEpoch = leaderEpoch
    self.partitionEpoch = partitionEpoch
  }
}

/// A topic as the metadata log has it.
package struct TopicImage: Hashable, Sendable {
  /// Never that of another topic, not even of a later one with the same name.
  package let id: UUID
  /// Valid by `TopicName`.
  package let name: String
  /// By partition number.
  package var partitions: [PartitionImage]
  /// The topic's own configs; what is not here comes from the broker.
  package var configs: [String: String]
  package init(id: UUID, name: String, partitions: [PartitionImage] = [], configs: [String: String] = [:]) {
    self.id = id
    self.name = name
    self.partitions = partitions
    self.configs = configs
  }

  /// Whether this is a topic of the broker's own, which consumers by pattern must not get.
  package var isInternal: Bool { TopicName.isInternal(name) }

  /// The partition of that number; nil for any number that has none, negative ones too.
  package func partition(_ index: Int32) -> PartitionImage? {
    guard index >= 0, Int(index) < partitions.count else { return nil }
    return partitions[Int(index)]
  }
}
