internal import Configuration
internal import KafkaProtocol
internal import Primitives

extension Controller {
  /// Goes over all partitions, in the order of their topics' names, and notes a record for each that is to be otherwise.
  ///
  /// - Parameters:
  ///   - isConcerned: a quick look, before the topic's configuration is made.
  ///   - change: the partition with its next epochs; nil where it stays.
  func changePartitions(
    where isConcerned: (PartitionImage) -> Bool, _ change: (PartitionImage, TopicConfig) -> PartitionImage?,
    note: (MetadataRecord, PartitionImage) -> Void
  ) {
    for name in image.topicNames {
      guard let topic = image.topic(named: name) else { continue }
      var config: TopicConfig?
      for (index, partition) in topic.partitions.enumerated() where isConcerned(partition) {
        let known = config ?? effectiveConfig.topicConfig(overrides: topic.configs)
        config = known
        guard let changed = change(partition, known) else { continue }
        note(changed.record(topicID: topic.id, index: Int32(clamping: index)), changed)
      }
    }
  }

  /// The rules of elections in a topic, by what is known now.
  func election(in topic: TopicImage, among brokers: LivingBrokers) -> LeaderElection {
    let config = effectiveConfig.topicConfig(overrides: topic.configs)
    return LeaderElection(brokers: brokers, isUncleanAllowed: config.uncleanLeaderElectionEnable)
  }
}
