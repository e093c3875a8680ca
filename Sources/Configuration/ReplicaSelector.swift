/// Which replica consumers are told to read from, by Kafka's names for it (KIP-392): `replica.selector.class`.
package enum ReplicaSelector: String, Sendable, CaseIterable {
  /// The leader, always.
  case leader = "org.apache.kafka.common.replica.LeaderSelector"
  /// One in the consumer's own rack, where there is one in sync.
  case rackAware = "org.apache.kafka.common.replica.RackAwareReplicaSelector"
}
