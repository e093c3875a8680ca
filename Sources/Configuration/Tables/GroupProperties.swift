/// Consumer groups and their offsets.
enum GroupProperties {
  static let classic: [BrokerProperty] = [
    .int(
      "group.initial.rebalance.delay.ms", \.groupInitialRebalanceDelayMs, 3000, .atLeast(0),
      "How long an empty group waits for more members before its first rebalance."),
    .int(
      "group.min.session.timeout.ms", \.groupMinSessionTimeoutMs, 6000, .atLeast(0),
      "The shortest session timeout that members may ask for."),
    .int(
      "group.max.session.timeout.ms", \.groupMaxSessionTimeoutMs, 1_800_000, .atLeast(0),
      "The longest session timeout that members may ask for."),
    BrokerProperty.int(
      "group.max.size", \.groupMaxSize, 10_000, .atLeast(1), "How many members a group may have."
    ).insteadOf("2147483647"),
    .int(
      "offset.metadata.max.bytes", \.offsetMetadataMaxBytes, 4096, .atLeast(0),
      "The longest text that may be committed with an offset."),
    .int(
      "offsets.commit.timeout.ms", \.offsetsCommitTimeoutMs, 5000, .atLeast(1),
      "How long a commit may wait for the replicas of the offsets topic."),
    .int(
      "offsets.retention.minutes", \.offsetsRetentionMinutes, 10_080, .atLeast(1),
      "How long the offsets of a group without members are kept."),
    .long(
      "offsets.retention.check.interval.ms", \.offsetsRetentionCheckIntervalMs, 600_000, .atLeast(1),
      "How often to look for offsets that are due to go."),
    .int(
      "offsets.topic.num.partitions", \.offsetsTopicNumPartitions, 50, .atLeast(1),
      "How many partitions __consumer_offsets gets. Never change it once the topic exists."),
    .short(
      "offsets.topic.replication.factor", \.offsetsTopicReplicationFactor, 3, .atLeast(1),
      "How many replicas __consumer_offsets gets; as many as there are brokers where these are fewer."),
    .int(
      "offsets.topic.segment.bytes", \.offsetsTopicSegmentBytes, 104_857_600, .atLeast(14),
      "The segment size of __consumer_offsets."),
    .echo("offsets.load.buffer.size", .int, "5242880", "The batch size when offsets are loaded."),
    .echo("offsets.topic.compression.codec", .int, "0", "The codec of __consumer_offsets; 0 for none."),
  ]

  static let newer: [BrokerProperty] = [
    .echo("group.consumer.assignors", .list, "uniform,range", "The assignors that the coordinator offers."),
    .echo("group.consumer.heartbeat.interval.ms", .int, "5000", "How often a consumer sends heartbeats."),
    .echo("group.consumer.max.heartbeat.interval.ms", .int, "15000", "The longest such interval of a group."),
    .echo("group.consumer.min.heartbeat.interval.ms", .int, "5000", "The shortest such interval of a group."),
    .echo("group.consumer.session.timeout.ms", .int, "45000", "When a silent consumer counts as gone."),
    .echo("group.consumer.max.session.timeout.ms", .int, "60000", "The longest such timeout of a group."),
    .echo("group.consumer.min.session.timeout.ms", .int, "45000", "The shortest such timeout of a group."),
    .echo("group.consumer.max.size", .int, "2147483647", "How many members a consumer group may have."),
    .echo(
      "group.consumer.migration.policy", .string, "bidirectional",
      "Whether groups may move between the classic and the consumer protocol."),
    .echo("group.coordinator.append.linger.ms", .int, "5", "How long coordinators gather records to write."),
    .echo(
      "group.coordinator.rebalance.protocols", .list, "classic,consumer", "The group protocols that are offered."),
    .echo("group.coordinator.threads", .int, "4", "How many threads run group coordinators."),
    .echo("group.share.delivery.count.limit", .int, "5", "How often a record is delivered to a share group."),
    .echo("group.share.heartbeat.interval.ms", .int, "5000", "How often a share consumer sends heartbeats."),
    .echo("group.share.max.heartbeat.interval.ms", .int, "15000", "The longest such interval of a group."),
    .echo("group.share.min.heartbeat.interval.ms", .int, "5000", "The shortest such interval of a group."),
    .echo("group.share.max.groups", .short, "10", "How many share groups there may be."),
    .echo("group.share.record.lock.duration.ms", .int, "30000", "How long a share consumer may hold a record."),
    .echo("group.share.max.record.lock.duration.ms", .int, "60000", "The longest such duration of a group."),
    .echo("group.share.min.record.lock.duration.ms", .int, "15000", "The shortest such duration of a group."),
    .echo("group.share.session.timeout.ms", .int, "45000", "When a silent share consumer counts as gone."),
    .echo("group.share.max.session.timeout.ms", .int, "60000", "The longest such timeout of a group."),
    .echo("group.share.min.session.timeout.ms", .int, "45000", "The shortest such timeout of a group."),
    .echo("group.share.max.size", .int, "200", "How many members a share group may have."),
    .echo("group.share.partition.max.record.locks", .int, "200", "How many records of a partition may be held."),
    .echo("share.coordinator.append.linger.ms", .int, "10", "How long the share coordinator gathers records."),
    .echo("share.coordinator.load.buffer.size", .int, "5242880", "The batch size when share state is loaded."),
    .echo(
      "share.coordinator.snapshot.update.records.per.snapshot", .int, "500",
      "How many updates of share state come between two snapshots."),
    .echo("share.coordinator.state.topic.compression.codec", .int, "0", "The codec of the share state topic."),
    .echo("share.coordinator.state.topic.min.isr", .short, "2", "min.insync.replicas of the share state topic."),
    .echo("share.coordinator.state.topic.num.partitions", .int, "50", "Partitions of the share state topic."),
    .echo("share.coordinator.state.topic.replication.factor", .short, "3", "Replicas of the share state topic."),
    .echo("share.coordinator.state.topic.segment.bytes", .int, "104857600", "Its segment size."),
    .echo("share.coordinator.threads", .int, "1", "How many threads run share coordinators."),
    .echo("share.coordinator.write.timeout.ms", .int, "5000", "How long a write of share state may take."),
  ]
}
