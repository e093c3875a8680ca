internal import Configuration
internal import KafkaProtocol
internal import Observability
internal import Primitives
internal import Replication
internal import Storage

/// An answer that waits for records to be safe: an append that has its offsets, or a look at the end of a log.
///
/// Can become: answered when this turn has written, or when the high watermark has come past it; answered with
/// KAFKA_STORAGE_ERROR when writing or flushing failed.
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
    /// A part of a request that looks at the end of the log.
    case work(RequestToken, Int, PartitionTask.Work)
  }

  /// What is waited for.
  enum Need {
    /// That the records are in the file: acks=1.
    case written
    /// That the high watermark is behind them: acks=all, and whatever shows them to others.
    case highWatermark

    init(acks: Int16) { self = acks == -1 ? .highWatermark : .written }
  }

  let hosted: HostedPartition
  let baseOffset: Int64
  let need: Need
  let purpose: Purpose

  init(_ hosted: HostedPartition, _ baseOffset: Int64, _ need: Need, _ purpose: Purpose) {
    self.hosted = hosted
    self.baseOffset = baseOffset
    self.need = need
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
    var failures: [(HostedPartition, LogError)] = []
    var grown: [HostedPartition] = []
    for hosted in dirty {
      hosted.isDirty = false
      do throws(LogError) {
        try hosted.partition.log.writePending()
        if hosted.partition.advanceHighWatermark() { grown.append(hosted) }
        noteWritten(hosted)
      } catch { failures.append((hosted, error)) }
      if let failure = hosted.partition.takeAppendFailure() { failures.append((hosted, failure)) }
    }
    let waits = appendWaits
    appendWaits.removeAll(keepingCapacity: true)
    for wait in waits { settleAfterWrite(wait) }
    for hosted in grown {
      releaseWaits(hosted)
      wakeWatchers(hosted)
    }
    for (hosted, error) in failures { noteFailure(error, of: hosted) }
  }

  /// What follows from new bytes in a log's file: readers at its end want to see them, and they must not stay off the disk
  /// for ever.
  private func noteWritten(_ hosted: HostedPartition) {
    let partition = hosted.partition
    guard partition.log.isUnflushed else { return }
    noteUnflushed(hosted)
    let isSeen = partition.waitsForFlush && !hosted.watchers.isEmpty
    if isSeen || partition.log.unflushedRecordCount >= partition.config.flushMessages { wantFlush(hosted) }
  }

  private func settleAfterWrite(_ wait: AppendWait) {
    let partition = wait.hosted.partition
    guard wait.baseOffset < partition.log.writtenEndOffset.value, !partition.log.isFenced else {
      return settle(wait, isWritten: false)
    }
    guard wait.need == .highWatermark, wait.baseOffset >= partition.highWatermark.value else {
      return settle(wait, isWritten: true)
    }
    wait.hosted.waits.append(wait)
    wantFlush(wait.hosted)
  }

  func settle(_ wait: AppendWait, isWritten: Bool) {
    let failure = wait.hosted.isGone ? Self.gone : Self.unwritten
    switch wait.purpose {
    case .produce(let connection, let sequence, let outcome):
      finishProduce(connection, sequence, isWritten ? outcome : failure)
    case .remoteProduce(let shard, let connection, let sequence, let outcome):
      environment.links.send(.produced(connection, sequence, isWritten ? outcome : failure), to: shard)
    case .task(let token, let index, let outcome):
      finishTask(token, index, .produced(isWritten ? outcome : failure))
    case .group(let host, let replies): settleGroup(host, replies, isWritten: isWritten)
    case .work(let token, let index, let work):
      let outcome =
        isWritten
        ? run(work, on: wait.hosted, waits: (token, index), isSafe: true)
        : .failed(KafkaError(failure.error, failure.message))
      if let outcome { finishTask(token, index, outcome) }
    }
  }

  private static let gone = PartitionTask.ProduceOutcome(failing: KafkaError(.unknownTopicOrPartition))
  private static let unwritten = PartitionTask.ProduceOutcome(failing: KafkaError(.kafkaStorageError))
}
