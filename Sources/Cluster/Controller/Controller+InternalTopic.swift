package import Configuration
internal import KafkaProtocol
internal import Primitives

/// A topic that the broker makes for itself.
package struct InternalTopic: Sendable, Equatable {
  /// Such as `__consumer_offsets`.
  package let name: String
  /// At least 1.
  package let partitionCount: Int
  /// Replicas wanted; on a node that is alone, as many as there are brokers.
  package let replicationFactor: Int
  /// Its own configs, by name; they are not checked again.
  package let configs: [String: String]
  package init(name: String, partitionCount: Int, replicationFactor: Int, configs: [String: String]) {
    self.name = name
    self.partitionCount = partitionCount
    self.replicationFactor = replicationFactor
    self.configs = configs
  }

  /// `__consumer_offsets` as `config` wants it.
  package static func consumerOffsets(_ config: BrokerConfig) -> InternalTopic {
    InternalTopic(
      name: TopicName.consumerOffsets, partitionCount: Int(config.offsetsTopicNumPartitions),
      replicationFactor: Int(config.offsetsTopicReplicationFactor),
      configs: [
        "cleanup.policy": "compact", "compression.type": "producer",
        "segment.bytes": String(config.offsetsTopicSegmentBytes),
      ])
  }
}

extension Controller {
  func createInternalTopic(_ topic: InternalTopic) throws(KafkaError) -> Decision<MetadataRecord, ControllerReply> {
    if let existing = image.topic(named: topic.name) { return Decision(reply: .internalTopic(id: existing.id)) }
    guard topic.partitionCount > 0 else {
      throw KafkaError(.invalidPartitions, "Topic '\(topic.name)' needs partitions, not \(topic.partitionCount).")
    }
    try checkRoom(for: topic.partitionCount, in: image, config: effectiveConfig)
    var random = random
    let placed = try ReplicaPlacement(brokers: image.sortedBrokers).place(
      partitionCount: topic.partitionCount,
      replicationFactor: replicationFactor(of: topic), random: &random)
    let brokers = LivingBrokers(image.brokers)
    let created = TopicImage(
      id: random.topicID(notIn: image), name: topic.name,
      partitions: placed.map { PartitionImage(new: $0, among: brokers) }, configs: topic.configs)
    return Decision(records: created.records, reply: .internalTopic(id: created.id))
  }

  /// A broker that is alone keeps the only copy there can be. In a cluster the topic waits for its brokers, as in Kafka:
  /// made with the first of them it would have one replica for good.
  private func replicationFactor(of topic: InternalTopic) -> Int {
    guard effectiveConfig.zookeeperConnect == nil else { return topic.replicationFactor }
    return min(topic.replicationFactor, max(image.brokers.count, 1))
  }
}
