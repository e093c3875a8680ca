internal import Configuration
package import Primitives
package import Records
package import Storage

/// What comes in from producers, and from this broker's own coordinators.
extension Partition {
  /// What a client learns of an append.
  package struct Appended {
    package let baseOffset: Offset
    package let logAppendTime: Timestamp
    /// False for a duplicate that was stored before: nothing new to write or to see.
    package let isNew: Bool
  }

  /// Appends what a producer sent for this partition: `records` is the field as it came.
  ///
  /// With `requiresAllReplicas` (acks=all) it is refused while fewer than `min.insync.replicas` are in sync, as committed; a
  /// partition with fewer replicas than that is complete with all of them.
  /// The offsets are given at once; the bytes are in the file after the log's `writePending`.
  package func appendAsLeader(
    _ records: UnsafeRawBufferPointer, version: Int16, requiresAllReplicas: Bool, validator: BatchValidator,
    now: Timestamp
  ) throws(BatchRejection) -> Appended {
    guard let leading else { throw BatchRejection(.notLeaderOrFollower, "this broker does not lead \(topicPartition)") }
    if requiresAllReplicas, leading.isr.count < minIsr(leading) {
      throw BatchRejection(
        .notEnoughReplicas,
        "\(topicPartition) has \(leading.isr.count) replicas in sync, fewer than min.insync.replicas = \(config.minInsyncReplicas)"
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
      case .forgottenDuplicate(let below, let error):
        // Producers take this refusal for an acknowledgement: it is none before what they ask about is safe.
        guard !requiresAllReplicas || highWatermark >= below else {
          throw BatchRejection(
            .notEnoughReplicasAfterAppend, "the batch is stored, and not yet on all replicas that are in sync")
        }
        throw BatchRejection(error.code, error.message)
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

  /// Appends a batch of the broker's own (coordinator records), built whole with offset 0. Only a leader may.
  package func appendOwn(_ batch: [UInt8], now: Timestamp) throws(KafkaError) -> AppendResult {
    guard isLeader else { throw KafkaError(.notLeaderOrFollower, "this broker does not lead \(topicPartition)") }
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
}
