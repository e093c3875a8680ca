package import Configuration
package import Primitives
internal import Records
package import Storage

/// One replica of a partition: the log, what of it may be seen, and what this broker is to it.
///
/// Owned by one shard. Begins idle. `apply` says what it becomes: leader, follower of another broker, or idle; each time in
/// a later term, or as another image of the same one. It is gone with its log (`Log.close`, `Log.abandon`).
/// Answers to Kafka's `Partition` and `UnifiedLog`.
package final class Partition {
  package let topicPartition: TopicPartition
  package let topicID: UUID
  package let log: Log
  /// This broker.
  package let brokerID: BrokerID
  package private(set) var config: TopicConfig
  /// How long a follower may lag behind before it leaves the isr: `replica.lag.time.max.ms`.
  package var replicaLagTimeMaxMs: Int64
  /// The term of the leader, and the state of the partition's record, of the last image applied; -1 before the first.
  package internal(set) var leaderEpoch = LeaderEpoch.none
  package internal(set) var partitionEpoch: Int32 = -1
  /// Everything below is safe, as `durability` understands it, on every in-sync replica. Never goes back while records
  /// stay in the log. On a follower: what its leader told, as far as the follower has it.
  package internal(set) var highWatermark: Offset

  /// One of the two is there, or none while idle.
  var leading: LeaderState?
  var following: FollowerState?
  /// The epoch of this broker, as the cluster knows it.
  var brokerEpoch: Int64 = -1
  /// Why the log refused an append, until `takeAppendFailure`.
  var appendFailure: LogError?
  var rules: AppendRules
  #if DEBUG
    var mutation: Mutation?
    var keptFollowers: [BrokerID: RemoteReplica] = [:]
  #endif

  /// - Parameter highWatermark: where it was when somebody last wrote it down; nil where nobody did: nothing is then shown
  ///   before the replicas have agreed anew.
  package init(
    _ topicPartition: TopicPartition, topicID: UUID, log: Log, brokerID: BrokerID, config: TopicConfig,
    decompressedBytesMax: Int, replicaLagTimeMaxMs: Int64 = 30_000, highWatermark: Offset? = nil
  ) {
    self.topicPartition = topicPartition
    self.topicID = topicID
    self.log = log
    self.brokerID = brokerID
    self.config = config
    self.replicaLagTimeMaxMs = replicaLagTimeMaxMs
    self.highWatermark = min(max(highWatermark ?? .zero, log.logStartOffset), log.writtenEndOffset)
    rules = AppendRules(config, decompressedBytesMax: decompressedBytesMax)
  }

  #if DEBUG
    /// Puts a bug of the past back.
    package func mutate(_ mutation: Mutation?) { self.mutation = mutation }
  #endif

  package func reconfigure(_ config: TopicConfig) {
    self.config = config
    rules = AppendRules(config, decompressedBytesMax: rules.decompressedBytesMax)
    log.config = LogConfig(config)
  }

  /// What of a topic's configuration concerns the log on the disk.
  package static func logConfig(_ config: TopicConfig) -> LogConfig { LogConfig(config) }

  /// What this broker is to the partition, as of the last image.
  package var role: PartitionRole {
    if leading != nil { return .leader }
    return following.map { .follower(of: $0.leader) } ?? .idle
  }

  package var isLeader: Bool { leading != nil }

  /// The replicas in sync, as committed; known to the leader only, empty elsewhere.
  package var isr: [BrokerID] { leading?.isr ?? [] }

  /// What of this broker's log is safe here, as `durability` understands it.
  var safeEndOffset: Offset {
    #if DEBUG
      if mutation == .acknowledgeBeforeFlush { return log.writtenEndOffset }
    #endif
    return config.isFlushedFirst ? log.recoveryPoint : log.writtenEndOffset
  }

  /// Whether what is in the file counts only with a flush: it becomes visible, or is fetched behind, only then.
  package var waitsForFlush: Bool {
    if leading == nil { return config.isFlushedFirst && log.isUnflushed }
    return config.isFlushedFirst ? log.isUnflushed && highWatermark < log.writtenEndOffset : false
  }

  /// Refuses a request that was made in another term of this partition (KIP-320); -1 asks for no check.
  package func checkLeaderEpoch(_ current: Int32) throws(KafkaError) {
    guard current >= 0 else { return }
    if current < leaderEpoch.value { throw KafkaError(.fencedLeaderEpoch) }
    if current > leaderEpoch.value { throw KafkaError(.unknownLeaderEpoch) }
  }

  package static func kafkaError(_ error: LogError, _ topicPartition: TopicPartition) -> KafkaError {
    switch error {
    case .offsetOutOfRange(let logStart, let logEnd):
      KafkaError(.offsetOutOfRange, "\(topicPartition) holds offsets \(logStart.value) to \(logEnd.value)")
    case .batchTooLarge(let byteCount, let segmentBytes):
      KafkaError(
        .recordListTooLarge,
        "a batch of \(byteCount) bytes does not fit into a segment of \(segmentBytes) (segment.bytes)")
    case .io, .fenced: KafkaError(.kafkaStorageError, "\(topicPartition): \(error)")
    case .corrupt: KafkaError(.corruptMessage, "\(topicPartition): \(error)")
    }
  }
}
