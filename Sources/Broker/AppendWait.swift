internal import KafkaProtocol
internal import Observability
internal import Primitives
internal import Replication
internal import Storage

/// An append that has its offsets and waits for this turn's write to bring it to the file.
///
/// Can become: answered with its offsets, or with KAFKA_STORAGE_ERROR when the write failed.
struct AppendWait {
  enum Purpose {
    /// A produce request with this one partition.
    case produce(Connection, sequence: UInt64, PartitionTask.ProduceOutcome)
    /// The same for a connection of another shard.
    case remoteProduce(Int, ConnectionID, UInt64, PartitionTask.ProduceOutcome)
    /// A part of a split request.
    case task(RequestToken, Int, PartitionTask.ProduceOutcome)
    /// A coordinator's records.
    case group(GroupHost, [PendingGroupReply])
  }

  let hosted: HostedPartition
  let baseOffset: Int64
  let purpose: Purpose

  init(_ hosted: HostedPartition, _ baseOffset: Int64, _ purpose: Purpose) {
    self.hosted = hosted
    self.baseOffset = baseOffset
    self.purpose = purpose
  }
}

extension Shard {
  /// Notes that this turn has appended to a partition.
  func markDirty(_ hosted: HostedPartition) {
    guard !hosted.isDirty else { return }
    hosted.isDirty = true
    dirtyPartitions.append(hosted)
  }

  /// Writes what was appended, one system call a partition, then releases what waited for it.
  func settleAppends() {
    guard !dirtyPartitions.isEmpty || !appendWaits.isEmpty else { return }
    let dirty = dirtyPartitions
    dirtyPartitions.removeAll(keepingCapacity: true)
    for hosted in dirty {
      hosted.isDirty = false
      do throws(LogError) { try hosted.partition.log.writePending() } catch {
        environment.logger.error("\(hosted.partition.topicPartition): writing failed, the log takes no more: \(error)")
      }
    }
    let waits = appendWaits
    appendWaits.removeAll(keepingCapacity: true)
    for wait in waits { settle(wait, isWritten: wait.baseOffset < wait.hosted.partition.log.writtenEndOffset.value) }
    for hosted in dirty where hosted.partition.advanceHighWatermark() { wakeWatchers(hosted) }
  }

  private func settle(_ wait: AppendWait, isWritten: Bool) {
    let failure = wait.hosted.isGone ? Self.gone : Self.unwritten
    switch wait.purpose {
    case .produce(let connection, let sequence, let outcome):
      finishProduce(connection, sequence, isWritten ? outcome : failure)
    case .remoteProduce(let shard, let connection, let sequence, let outcome):
      environment.links.send(.produced(connection, sequence, isWritten ? outcome : failure), to: shard)
    case .task(let token, let index, let outcome):
      finishTask(token, index, .produced(isWritten ? outcome : failure))
    case .group(let host, let replies): settleGroup(host, replies, isWritten: isWritten)
    }
  }

  private static let gone = PartitionTask.ProduceOutcome(failing: KafkaError(.unknownTopicOrPartition))
  private static let unwritten = PartitionTask.ProduceOutcome(failing: KafkaError(.kafkaStorageError))
}
