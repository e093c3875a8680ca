/// The configuration in force for one topic: its own values, and the broker's behind them (Kafka's `LogConfig`).
///
/// Made by `BrokerConfig.topicConfig(overrides:)`. Times are in milliseconds, sizes in bytes.
package struct TopicConfig: Sendable, Equatable {
  package internal(set) var cleanupPolicy = CleanupPolicy.delete
  package internal(set) var compressionType = CompressionType.producer
  package internal(set) var compressionGzipLevel: Int32 = 0
  package internal(set) var compressionLz4Level: Int32 = 0
  package internal(set) var compressionZstdLevel: Int32 = 0
  /// How long a tombstone stays after compaction has first seen it.
  package internal(set) var deleteRetentionMs: Int64 = 0
  package internal(set) var durability = Durability.fsync
  /// How long the files of a deleted segment stay.
  package internal(set) var fileDeleteDelayMs: Int64 = 0
  /// Records after which a log is flushed, whoever waits for it.
  package internal(set) var flushMessages: Int64 = 0
  /// How old an unflushed record may get.
  package internal(set) var flushMs: Int64 = 0
  package internal(set) var indexIntervalBytes: Int32 = 0
  /// The age at which a record must have gone through compaction.
  package internal(set) var maxCompactionLagMs: Int64 = 0
  /// The largest record batch, after compression.
  package internal(set) var maxMessageBytes: Int32 = 0
  package internal(set) var messageTimestampAfterMaxMs: Int64 = 0
  package internal(set) var messageTimestampBeforeMaxMs: Int64 = 0
  package internal(set) var messageTimestampType = MessageTimestampType.createTime
  /// The share of a log that compaction has not seen from which it starts: 0 to 1.
  package internal(set) var minCleanableDirtyRatio = 0.0
  /// The age before which compaction leaves a record alone.
  package internal(set) var minCompactionLagMs: Int64 = 0
  package internal(set) var minInsyncReplicas: Int32 = 0
  package internal(set) var preallocate = false
  /// The size of a partition from which old segments go; -1 for no limit.
  package internal(set) var retentionBytes: Int64 = 0
  /// The age from which segments go; -1 for no limit.
  package internal(set) var retentionMs: Int64 = 0
  package internal(set) var segmentBytes: Int32 = 0
  package internal(set) var segmentIndexBytes: Int32 = 0
  package internal(set) var segmentJitterMs: Int64 = 0
  package internal(set) var segmentMs: Int64 = 0
  /// The replicas that are held back while they fetch, and those whose leaders hold their followers back.
  package internal(set) var throttledFollowers = ThrottledReplicas.none
  package internal(set) var throttledLeaders = ThrottledReplicas.none
  /// Whether a replica may lead that is not in sync, where no other is left.
  package internal(set) var uncleanLeaderElectionEnable = false

  /// Whether records count only once they are on the disk. flush.messages=1 says the same in Kafka's words.
  package var isFlushedFirst: Bool { durability == .fsync || flushMessages == 1 }

  /// Every field gets its value from the table: see `BrokerConfig.topicDefaults`.
  init() {}
}

/// What happens to old records: `cleanup.policy`, one or both.
package struct CleanupPolicy: OptionSet, Sendable, Hashable {
  package let rawValue: UInt8
  package init(rawValue: UInt8) { self.rawValue = rawValue }
  /// Old segments are deleted.
  package static let delete = CleanupPolicy(rawValue: 1)
  /// Every record needs a key, and of each key the newest one stays.
  package static let compact = CleanupPolicy(rawValue: 2)
}

/// When a record is safe enough to be acknowledged at acks=all, and to be shown to consumers: `durability`.
package enum Durability: String, Sendable, CaseIterable {
  /// When it is on the disk.
  case fsync
  /// When the page cache of every in-sync replica has it, as in Kafka.
  case replicated
}

/// How record batches are compressed on disk: `compression.type`.
package enum CompressionType: String, Sendable, CaseIterable {
  case uncompressed, zstd, lz4, snappy, gzip
  /// As the producer sent them.
  case producer
}

/// Which time a record bears: `message.timestamp.type`.
package enum MessageTimestampType: String, Sendable, CaseIterable {
  /// The time that the producer gave it.
  case createTime = "CreateTime"
  /// The time at which the leader appended it.
  case logAppendTime = "LogAppendTime"
}
