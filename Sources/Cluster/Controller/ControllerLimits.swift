/// What one request may ask of the controller; how far the cluster may grow is in the broker's config
/// (`ottla.partitions.max`, `ottla.topic.partitions.max`). Beyond a limit the answer is POLICY_VIOLATION, for values
/// INVALID_CONFIG.
package struct ControllerLimits: Sendable, Equatable {
  /// Partitions that one request may make, over all its topics. Kafka's controller has the same limit.
  package var partitionsPerRequestMax = 10_000
  /// Bytes of one config value.
  package var configValueBytesMax = 65_536
  /// Leaderships that go back to preferred replicas at once, as in Kafka.
  package var leaderMovesPerBalanceMax = 1000
  /// Producer ids that another broker gets at once, as in Kafka.
  package var producerIDBlock: Int32 = 1000
  package init() {}
}
