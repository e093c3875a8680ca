/// How topics come into being, and the broker's values behind topic properties.
enum TopicDefaultProperties {
  static let topics: [BrokerProperty] = [
    .boolean(
      "auto.create.topics.enable", \.autoCreateTopicsEnable, true,
      "Whether a topic is created when a client names one that does not exist."),
    .boolean("delete.topic.enable", \.deleteTopicEnable, true, "Whether topics may be deleted."),
    .int(
      "num.partitions", \.numPartitions, 1, .atLeast(1),
      "How many partitions a topic gets when its creator does not say."),
    .int(
      "default.replication.factor", \.defaultReplicationFactor, 1, .between(1, 32_767),
      "How many replicas a topic gets when its creator does not say."),
    behind("message.max.bytes", .int, "1048588", .atLeast(0), "max.message.bytes"),
    behind("min.insync.replicas", .int, "1", .atLeast(1), "min.insync.replicas"),
    behind(
      "compression.type", .string, "producer", .oneOf(CompressionType.allCases.map(\.rawValue)), "compression.type"),
    behind("unclean.leader.election.enable", .boolean, "false", .any, "unclean.leader.election.enable"),
    behind("compression.gzip.level", .int, "-1", .between(1, 9, or: -1), "compression.gzip.level"),
    behind("compression.lz4.level", .int, "9", .between(1, 17), "compression.lz4.level"),
    behind("compression.zstd.level", .int, "3", .between(-131_072, 22), "compression.zstd.level"),
    .text(
      "create.topic.policy.class.name", .class, nil, .unsupported("policies written in Java cannot be kept"),
      "A policy that decides which topics may be created."),
    .text(
      "alter.config.policy.class.name", .class, nil, .unsupported("policies written in Java cannot be kept"),
      "A policy that decides which configurations may be altered."),
  ]

  static let logs: [BrokerProperty] = [
    behind("log.cleanup.policy", .list, "delete", .listOf(["compact", "delete"]), "cleanup.policy"),
    behind("log.retention.bytes", .long, "-1", .any, "retention.bytes"),
    behind("log.retention.ms", .long, nil, .atLeast(1, or: -1), "retention.ms"),
    .text(
      "log.retention.minutes", .int, nil, .atLeast(1, or: -1),
      "As log.retention.ms, in minutes; counts where that is not set."),
    .text(
      "log.retention.hours", .int, "168", .atLeast(1, or: -1),
      "As log.retention.ms, in hours; counts where neither that nor log.retention.minutes is set."),
    behind("log.segment.bytes", .int, "1073741824", .atLeast(14), "segment.bytes"),
    behind("log.roll.ms", .long, nil, .atLeast(1), "segment.ms"),
    .text("log.roll.hours", .int, "168", .atLeast(1), "As log.roll.ms, in hours; counts where that is not set."),
    behind("log.roll.jitter.ms", .long, nil, .atLeast(0), "segment.jitter.ms"),
    .text(
      "log.roll.jitter.hours", .int, "0", .atLeast(0),
      "As log.roll.jitter.ms, in hours; counts where that is not set."),
    behind("log.index.size.max.bytes", .int, "10485760", .atLeast(4), "segment.index.bytes"),
    behind("log.index.interval.bytes", .int, "4096", .atLeast(0), "index.interval.bytes"),
    behind("log.preallocate", .boolean, "false", .any, "preallocate"),
    behind("log.segment.delete.delay.ms", .long, "60000", .atLeast(0), "file.delete.delay.ms"),
    behind("durability", .string, "fsync", .oneOf(Durability.allCases.map(\.rawValue)), "durability"),
    behind("log.flush.interval.messages", .long, "9223372036854775807", .atLeast(1), "flush.messages"),
    behind("log.flush.interval.ms", .long, nil, .atLeast(0), "flush.ms"),
    .text(
      "log.flush.scheduler.interval.ms", .long, "9223372036854775807", .atLeast(0),
      "The value of log.flush.interval.ms where that is not set."),
    behind(
      "log.message.timestamp.type", .string, "CreateTime", .oneOf(MessageTimestampType.allCases.map(\.rawValue)),
      "message.timestamp.type"),
    behind(
      "log.message.timestamp.before.max.ms", .long, "9223372036854775807", .atLeast(0),
      "message.timestamp.before.max.ms"),
    behind("log.message.timestamp.after.max.ms", .long, "3600000", .atLeast(0), "message.timestamp.after.max.ms"),
    behind("log.cleaner.delete.retention.ms", .long, "86400000", .atLeast(0), "delete.retention.ms"),
    behind("log.cleaner.min.compaction.lag.ms", .long, "0", .atLeast(0), "min.compaction.lag.ms"),
    behind(
      "log.cleaner.max.compaction.lag.ms", .long, "9223372036854775807", .atLeast(1), "max.compaction.lag.ms"),
    behind("log.cleaner.min.cleanable.ratio", .double, "0.5", .reals(0...1), "min.cleanable.dirty.ratio"),
  ]

  /// A broker property that is nothing but the default of a topic property.
  private static func behind(
    _ name: String, _ type: ConfigType, _ defaultValue: String?, _ allowed: AllowedValues, _ topicProperty: String
  ) -> BrokerProperty {
    BrokerProperty.text(
      name, type, defaultValue, allowed, "The value of \(topicProperty) for topics that do not set it."
    ).clusterWide()
  }
}
