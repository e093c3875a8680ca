/// A row of the topic table.
package typealias TopicProperty = Property<TopicConfig>

/// The table of topic properties.
package enum TopicProperties {
  /// All rows, by name.
  package static let all: [TopicProperty] = [retention, segments, durability, records, compaction, replication, echoed]
    .flatMap { $0 }.sorted { $0.name < $1.name }

  private static let byName: [String: TopicProperty] = Dictionary(
    uniqueKeysWithValues: all.map { ($0.name, $0) })

  /// The row of the property `name`; nil for a name that Kafka does not know.
  package static func row(_ name: String) -> TopicProperty? { byName[name] }

  private static let retention: [TopicProperty] = [
    TopicProperty(
      "cleanup.policy", .list, "delete", .listOf(["compact", "delete"]),
      "What happens to old records: delete removes whole segments by age and size; compact keeps the newest record of each "
        + "key, and asks for keys; both do both."
    ) { config, value in
      guard case .list(let words)? = value else { return }
      config.cleanupPolicy = words.reduce(into: []) { $0.insert($1 == "compact" ? .compact : .delete) }
    }.behind("log.cleanup.policy"),
    .long(
      "retention.ms", \.retentionMs, 604_800_000, .atLeast(-1),
      "The age from which records are deleted; -1 keeps them whatever their age."
    ).behind("log.retention.ms").behind("log.retention.minutes", scale: 60_000)
      .behind("log.retention.hours", scale: 3_600_000),
    .long(
      "retention.bytes", \.retentionBytes, -1, .any,
      "The size of a partition from which its oldest segments are deleted; -1 for no limit."
    ).behind("log.retention.bytes"),
  ]

  private static let segments: [TopicProperty] = [
    .int(
      "segment.bytes", \.segmentBytes, 1_073_741_824, .atLeast(14),
      "The size at which a new segment file begins."
    ).behind("log.segment.bytes"),
    .long(
      "segment.ms", \.segmentMs, 604_800_000, .atLeast(1),
      "The age at which a new segment begins although the present one is not full."
    ).behind("log.roll.ms").behind("log.roll.hours", scale: 3_600_000),
    .long(
      "segment.jitter.ms", \.segmentJitterMs, 0, .atLeast(0),
      "The most that chance takes off segment.ms, so that not all segments end at once."
    ).behind("log.roll.jitter.ms").behind("log.roll.jitter.hours", scale: 3_600_000),
    .int(
      "segment.index.bytes", \.segmentIndexBytes, 10_485_760, .atLeast(4),
      "The largest size of a segment's index; a full index ends the segment."
    ).behind("log.index.size.max.bytes"),
    .int(
      "index.interval.bytes", \.indexIntervalBytes, 4096, .atLeast(0),
      "How many bytes of records lie between two index entries."
    ).behind("log.index.interval.bytes"),
    .boolean(
      "preallocate", \.preallocate, false,
      "Reserve the disk space of a whole segment when it begins."
    ).behind("log.preallocate"),
    .long(
      "file.delete.delay.ms", \.fileDeleteDelayMs, 60_000, .atLeast(0),
      "How long the files of a deleted segment stay on disk, for readers that are still in them."
    ).behind("log.segment.delete.delay.ms"),
  ]

  private static let durability: [TopicProperty] = [
    .word(
      "durability", \.durability, .fsync,
      "When a record is safe enough to be acknowledged at acks=all and shown to consumers: fsync, once it is on the disk; "
        + "replicated, as in Kafka, once the page cache of every in-sync replica has it."
    ).behind("durability"),
    .long(
      "flush.messages", \.flushMessages, .max, .atLeast(1),
      "After how many records a log is flushed to the disk, whoever waits for it; 1 is the same as durability=fsync."
    ).behind("log.flush.interval.messages"),
    .long(
      "flush.ms", \.flushMs, .max, .atLeast(0),
      "After how long at most a record is flushed to the disk, whoever waits for it; looked at once a second."
    ).behind("log.flush.interval.ms").behind("log.flush.scheduler.interval.ms"),
  ]

  private static let records: [TopicProperty] = [
    .int(
      "max.message.bytes", \.maxMessageBytes, 1_048_588, .atLeast(0),
      "The largest record batch that is accepted, measured as it arrives (compressed)."
    ).behind("message.max.bytes"),
    .word(
      "compression.type", \.compressionType, .producer,
      "How batches are compressed on disk; producer keeps what the producer chose."
    ).behind("compression.type"),
    .int(
      "compression.gzip.level", \.compressionGzipLevel, -1, .between(1, 9, or: -1),
      "The level at which the broker compresses where compression.type is gzip; -1 is zlib's own."
    ).behind("compression.gzip.level"),
    .int(
      "compression.lz4.level", \.compressionLz4Level, 9, .between(1, 17),
      "The level at which the broker compresses where compression.type is lz4."
    ).behind("compression.lz4.level"),
    .int(
      "compression.zstd.level", \.compressionZstdLevel, 3, .between(-131_072, 22),
      "The level at which the broker compresses where compression.type is zstd."
    ).behind("compression.zstd.level"),
    .word(
      "message.timestamp.type", \.messageTimestampType, .createTime,
      "Whether records bear the producer's time or the time at which the leader appended them."
    ).behind("log.message.timestamp.type"),
    .long(
      "message.timestamp.before.max.ms", \.messageTimestampBeforeMaxMs, .max, .atLeast(0),
      "How far a record's own time may lie before the broker's; batches beyond it are refused."
    ).behind("log.message.timestamp.before.max.ms"),
    .long(
      "message.timestamp.after.max.ms", \.messageTimestampAfterMaxMs, 3_600_000, .atLeast(0),
      "How far a record's own time may lie after the broker's; batches beyond it are refused."
    ).behind("log.message.timestamp.after.max.ms"),
  ]

  private static let compaction: [TopicProperty] = [
    .long(
      "delete.retention.ms", \.deleteRetentionMs, 86_400_000, .atLeast(0),
      "How long a compacted topic still shows that a key was deleted, for readers that were away."
    ).behind("log.cleaner.delete.retention.ms"),
    .long(
      "min.compaction.lag.ms", \.minCompactionLagMs, 0, .atLeast(0),
      "How long a record stays untouched by compaction."
    ).behind("log.cleaner.min.compaction.lag.ms"),
    .long(
      "max.compaction.lag.ms", \.maxCompactionLagMs, .max, .atLeast(1),
      "The age at which a record must have gone through compaction."
    ).behind("log.cleaner.max.compaction.lag.ms"),
    .double(
      "min.cleanable.dirty.ratio", \.minCleanableDirtyRatio, "0.5", .reals(0...1),
      "The share of a log that compaction has not seen yet from which it starts."
    ).behind("log.cleaner.min.cleanable.ratio"),
  ]

  private static let replication: [TopicProperty] = [
    .int(
      "min.insync.replicas", \.minInsyncReplicas, 1, .atLeast(1),
      "How many replicas must be in sync for a write with acks=all to be accepted."
    ).behind("min.insync.replicas"),
    .boolean(
      "unclean.leader.election.enable", \.uncleanLeaderElectionEnable, false,
      "Whether a replica that is not in sync may lead when no other is left, at the price of records."
    ).behind("unclean.leader.election.enable"),
    throttled(
      "follower.replication.throttled.replicas", \.throttledFollowers,
      "The replicas that fetch at most follower.replication.throttled.rate while they are behind."),
    throttled(
      "leader.replication.throttled.replicas", \.throttledLeaders,
      "The replicas that send at most leader.replication.throttled.rate, while they lead, to followers out of sync."),
  ]

  private static func throttled(
    _ name: String, _ field: TopicProperty.Field<ThrottledReplicas>, _ documentation: String
  ) -> TopicProperty {
    TopicProperty(name, .list, "", .throttledReplicas, documentation) { config, value in
      if case .list(let elements)? = value { config[keyPath: field] = ThrottledReplicas(elements) }
    }
  }

  private static let echoed: [TopicProperty] = [
    TopicProperty.text(
      "local.retention.bytes", .long, "-2", .atLeast(-2),
      "With tiered storage: the size that stays on the broker; -2 follows retention.bytes."
    ).behind("log.local.retention.bytes").echoed(),
    TopicProperty.text(
      "local.retention.ms", .long, "-2", .atLeast(-2),
      "With tiered storage: the time that records stay on the broker; -2 follows retention.ms."
    ).behind("log.local.retention.ms").echoed(),
    TopicProperty.echo(
      "remote.log.copy.disable", .boolean, "false", "With tiered storage: stop copying segments away."),
    TopicProperty.echo(
      "remote.log.delete.on.disable", .boolean, "false",
      "With tiered storage: delete the remote segments when it is switched off."),
    TopicProperty.echo("remote.storage.enable", .boolean, "false", "Keep old segments in tiered storage."),
  ]
}
