package import Configuration
internal import Effects
package import Primitives
package import Records
package import Storage

/// One partition on the broker that leads it: the log, and what of it may be seen.
///
/// Owned by one shard. Can become: leader of a later epoch (`becomeLeader`), or gone with its log (`Log.close`, `Log.abandon`).
/// Answers to Kafka's `Partition` and `UnifiedLog`.
package final class Partition {
  package let topicPartition: TopicPartition
  package let topicID: UUID
  package let log: Log
  package private(set) var leaderEpoch: LeaderEpoch
  /// How many replicas are in sync, this one among them.
  package private(set) var isrCount: Int
  /// Everything below is safe, as `durability` understands it, on every in-sync replica. With one replica: everything that
  /// is on the disk, or where the page cache will do, everything that has been written.
  package private(set) var highWatermark: Offset
  package private(set) var config: TopicConfig
  /// Why the log refused an append, until `takeAppendFailure`.
  private var appendFailure: LogError?
  private var rules: AppendRules

  package init(
    _ topicPartition: TopicPartition, topicID: UUID, log: Log, leaderEpoch: LeaderEpoch, isrCount: Int,
    config: TopicConfig, decompressedBytesMax: Int
  ) {
    self.isrCount = isrCount
    self.topicPartition = topicPartition
    self.topicID = topicID
    self.log = log
    self.leaderEpoch = leaderEpoch
    self.config = config
    highWatermark = config.isFlushedFirst ? log.recoveryPoint : log.writtenEndOffset
    rules = AppendRules(config, decompressedBytesMax: decompressedBytesMax)
    log.beginLeaderEpoch(leaderEpoch)
  }

  package func reconfigure(_ config: TopicConfig) {
    self.config = config
    rules = AppendRules(config, decompressedBytesMax: rules.decompressedBytesMax)
    log.config = LogConfig(config)
  }

  /// What of a topic's configuration concerns the log on the disk.
  package static func logConfig(_ config: TopicConfig) -> LogConfig { LogConfig(config) }

  package func becomeLeader(epoch: LeaderEpoch, isrCount: Int) {
    self.isrCount = isrCount
    guard epoch > leaderEpoch else { return }
    leaderEpoch = epoch
    log.beginLeaderEpoch(epoch)
  }

  /// What a client learns of an append.
  package struct Appended {
    package let baseOffset: Offset
    package let logAppendTime: Timestamp
    /// False for a duplicate that was stored before: nothing new to write or to see.
    package let isNew: Bool
  }

  /// Appends what a producer sent for this partition: `records` is the field as it came.
  ///
  /// With `requiresAllReplicas` (acks=all) it is refused while fewer than `min.insync.replicas` are in sync. The offsets are
  /// given at once; the bytes are in the file after the log's `writePending`.
  package func appendAsLeader(
    _ records: UnsafeRawBufferPointer, version: Int16, requiresAllReplicas: Bool, validator: BatchValidator,
    now: Timestamp
  ) throws(BatchRejection) -> Appended {
    if requiresAllReplicas, isrCount < Int(config.minInsyncReplicas) {
      throw BatchRejection(
        .notEnoughReplicas,
        "\(topicPartition) has \(isrCount) replicas in sync, fewer than min.insync.replicas = \(config.minInsyncReplicas)"
      )
    }
    var rules = rules
    rules.produceVersion = version
    let batch = try validator.validate(records, rules: rules, now: now)
    let header = batch.header
    if header.attributes.isTransactional {
      throw BatchRejection(.invalidRequest, "transactions are not served by this broker yet")
    }
    let logAppendTime: Timestamp = header.attributes.isLogAppendTime ? header.maxTimestamp : .none
    if header.producerID.value >= 0 {
      switch log.producers.check(header) {
      case .append: break
      case .duplicate(let baseOffset, _):
        return Appended(baseOffset: baseOffset, logAppendTime: logAppendTime, isNew: false)
      case .refuse(let error): throw BatchRejection(error.code, error.message)
      }
    }
    let result = try append(batch, received: records, now)
    return Appended(baseOffset: result.baseOffset, logAppendTime: logAppendTime, isNew: true)
  }

  private func append(
    _ batch: ValidatedBatch, received: UnsafeRawBufferPointer, _ now: Timestamp
  ) throws(BatchRejection) -> AppendResult {
    var failure: LogError?
    var result: AppendResult?
    let write = { (bytes: UnsafeRawBufferPointer) in
      do throws(LogError) {
        result = try self.log.append(bytes, header: batch.header, leaderEpoch: self.leaderEpoch, appendTime: now)
      } catch { failure = error }
    }
    switch batch.bytes {
    case .verbatim: write(received)
    case .rewritten(let bytes): bytes.withUnsafeBytes { write($0) }
    }
    guard let result else {
      let error = failure.map(refused) ?? KafkaError(.kafkaStorageError)
      throw BatchRejection(error.code, error.message)
    }
    return result
  }

  private func refused(_ failure: LogError) -> KafkaError {
    if case .io = failure { appendFailure = failure }
    return Self.kafkaError(failure, topicPartition)
  }

  /// Why the log refused appends, if its files were the reason: for whoever looks after the disk that holds them. A large
  /// batch is written with its append, so that not only `Log.writePending` tells of a full or failing disk.
  package func takeAppendFailure() -> LogError? {
    defer { appendFailure = nil }
    return appendFailure
  }

  package var hasAppendFailure: Bool { appendFailure != nil }

  /// Appends a batch of the broker's own (coordinator records), built whole with offset 0.
  package func appendOwn(_ batch: [UInt8], now: Timestamp) throws(KafkaError) -> AppendResult {
    guard let header = batch.withUnsafeBytes({ RecordBatchHeader(reading: $0) }) else {
      preconditionFailure("a built batch has \(batch.count) bytes, fewer than its header")
    }
    let outcome = batch.withUnsafeBytes { bytes -> Result<AppendResult, LogError> in
      do throws(LogError) {
        return .success(try log.append(bytes, header: header, leaderEpoch: leaderEpoch, appendTime: now))
      } catch { return .failure(error) }
    }
    switch outcome {
    case .success(let result): return result
    case .failure(let error): throw refused(error)
    }
  }

  /// Takes notice of what has been written or flushed: with one replica that is what may be seen. Returns whether there is
  /// more than before.
  package func advanceHighWatermark() -> Bool {
    let safe = config.isFlushedFirst ? log.recoveryPoint : log.writtenEndOffset
    guard safe > highWatermark else { return false }
    highWatermark = safe
    return true
  }

  /// Whether what is in the file becomes visible only with a flush.
  package var waitsForFlush: Bool { highWatermark < log.writtenEndOffset }

  /// Refuses a request that was made in another epoch of this partition (KIP-320); -1 asks for no check.
  package func checkLeaderEpoch(_ current: Int32) throws(KafkaError) {
    guard current >= 0 else { return }
    if current < leaderEpoch.value { throw KafkaError(.fencedLeaderEpoch) }
    if current > leaderEpoch.value { throw KafkaError(.unknownLeaderEpoch) }
  }

  /// Reads for a consumer: nothing at or above the high watermark.
  package func read(from offset: Offset, maxBytes: Int, minOneBatch: Bool) throws(KafkaError) -> LogSlice {
    do {
      return try log.read(from: offset, maxBytes: maxBytes, upTo: highWatermark, minOneBatch: minOneBatch)
    } catch { throw Self.kafkaError(error, topicPartition) }
  }

  /// Where the log of `epoch` ends (KIP-101): never below what has been served.
  package func endOffset(for epoch: LeaderEpoch) -> (leaderEpoch: LeaderEpoch, endOffset: Offset) {
    if epoch == leaderEpoch { return (epoch, log.logEndOffset) }
    let found = log.endOffset(for: epoch)
    return (found.epoch, found.endOffset)
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
