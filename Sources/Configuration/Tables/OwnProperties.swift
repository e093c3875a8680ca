/// Limits that Kafka does not have.
enum OwnProperties {
  static let rows: [BrokerProperty] = [
    .int(
      "ottla.shards", \.ottlaShards, 0, .between(0, 64),
      "How many shards, each with a thread of its own, do the work; 0 for one a processor, at most 64."),
    .int(
      "ottla.open.files.max", \.ottlaOpenFilesMax, 4096, .atLeast(16),
      "How many segment files are held open at once."),
    .int(
      "ottla.partitions.max", \.ottlaPartitionsMax, 200_000, .atLeast(1),
      "How many partitions the cluster may have in all."),
    .int(
      "ottla.topic.partitions.max", \.ottlaTopicPartitionsMax, 10_000, .atLeast(1),
      "How many partitions one topic may have."),
    .int(
      "ottla.partition.producers.max", \.ottlaPartitionProducersMax, 100_000, .atLeast(1),
      "How many idempotent producers one partition remembers."),
  ]
}
