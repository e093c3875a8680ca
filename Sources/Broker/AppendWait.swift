internal import Configuration
internal import KafkaProtocol
internal import Observability
internal import Primitives
internal import Replication
internal import Storage

/// An answer that waits for records to be safe: an append that has its offsets, or a look at the end of a log.
///
/// Can become: answered when this turn has written, or when the high watermark has come past it; answered with an error when
/// writing or flushing failed, when this broker does not lead the partition any more, or when its time is up.
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
  /// When whoever waits wants to hear that it took too long; never for what waits for this broker's own disk alone.
  let deadline: Instant

  init(
    _ hosted: HostedPartition, _ baseOffset: Int64, _ need: Need, _ purpose: Purpose,
    deadline: Instant = .distantFuture
  ) {
    self.hosted = hosted
    self.baseOffset = baseOffset
    self.need = need
    self.purpose = purpose
    self.deadline = deadline
  }

  /// How a wait ended.
  enum End {
    /// What was waited for is safe.
    case safe
    /// It will not be, as far as this broker can tell.
    case failed(KafkaError)
    /// It may be yet: other brokers have not confirmed it in time.
    case timedOut
    /// It may be yet, or not at all: another broker leads now, and decides by what it had.
    case leaderChanged
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
    var written: [HostedPartition] = []
    for hosted in dirty {
      hosted.isDirty = false
      do throws(LogError) {
        try hosted.partition.log.writePending()
        if !hosted.followerWatchers.isEmpty { written.append(hosted) }
        if hosted.partition.advanceHighWatermark() { grown.append(hosted) }
        noteWritten(hosted)
      } catch { failures.append((hosted, error)) }
      if let failure = hosted.partition.takeAppendFailure() { failures.append((hosted, failure)) }
    }
    let waits = appendWaits
    appendWaits.removeAll(keepingCapacity: true)
    for wait in waits { settleAfterWrite(wait) }
    for hosted in written { wakeFollowers(hosted) }
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
      return settle(wait, .failed(wait.hosted.isGone ? Self.gone : Self.unwritten))
    }
    guard wait.need == .highWatermark, wait.baseOffset >= partition.highWatermark.value else {
      return settle(wait, .safe)
    }
    // The turn may have brought another leader after the append.
    guard partition.isLeader else { return settle(wait, .leaderChanged) }
    wait.hosted.waits.append(wait)
    wantFlush(wait.hosted)
    if wait.deadline != .distantFuture { watchDeadlines(of: wait.hosted) }
  }

  func settle(_ wait: AppendWait, _ end: AppendWait.End) {
    switch wait.purpose {
    case .produce(let connection, let sequence, let outcome):
      finishProduce(connection, sequence, Self.outcome(outcome, end))
    case .remoteProduce(let shard, let connection, let sequence, let outcome):
      environment.links.send(.produced(connection, sequence, Self.outcome(outcome, end)), to: shard)
    case .task(let token, let index, let outcome):
      finishTask(token, index, .produced(Self.outcome(outcome, end)))
    case .group(let host, let replies): settleGroup(host, replies, end)
    case .work(let token, let index, let work):
      switch end {
      case .safe:
        if let outcome = run(work, on: wait.hosted, waits: (token, index), isSafe: true) {
          finishTask(token, index, outcome)
        }
      case .failed(let error): finishTask(token, index, .failed(error))
      case .leaderChanged: finishTask(token, index, .failed(Self.notLeader))
      case .timedOut: finishTask(token, index, .failed(KafkaError(.offsetNotAvailable)))
      }
    }
  }

  private static func outcome(
    _ outcome: PartitionTask.ProduceOutcome, _ end: AppendWait.End
  ) -> PartitionTask.ProduceOutcome {
    switch end {
    case .safe: outcome
    case .failed(let error): .init(failing: error)
    case .timedOut:
      .init(failing: KafkaError(.requestTimedOut, "the replicas in sync have not confirmed the records in time"))
    case .leaderChanged: .init(failing: leaderChanged)
    }
  }

  static let gone = KafkaError(.unknownTopicOrPartition)
  static let unwritten = KafkaError(.kafkaStorageError)
  static let notLeader = KafkaError(.notLeaderOrFollower)
  /// Not NOT_LEADER_OR_FOLLOWER, as Kafka says: librdkafka takes that for "not in the log", sends the records again in other batches than
  /// before, which the next leader, if it has them, cannot know for the same, and then begins a new epoch: twice in the log.
  private static let leaderChanged = KafkaError(
    .notEnoughReplicasAfterAppend, "another broker came to lead before the replicas in sync had confirmed the records")

  // MARK: time

  private static let deadlineCheckIntervalMs: Int64 = 50

  /// The clock looks after the waits of a partition that other brokers have to confirm.
  private func watchDeadlines(of hosted: HostedPartition) {
    guard !hosted.isInDeadlines else { return }
    hosted.isInDeadlines = true
    partitionsWithDeadlines.append(hosted)
    guard partitionsWithDeadlines.count == 1 else { return }
    timers.schedule(.appendDeadlines, at: now.advanced(byMilliseconds: Self.deadlineCheckIntervalMs))
  }

  func appendDeadlinesFired() {
    let watched = partitionsWithDeadlines
    partitionsWithDeadlines.removeAll(keepingCapacity: true)
    for hosted in watched {
      let late = hosted.waits.filter { $0.deadline <= now }
      if !late.isEmpty { hosted.waits.removeAll { $0.deadline <= now } }
      for wait in late { settle(wait, .timedOut) }
      hosted.isInDeadlines = hosted.waits.contains { $0.deadline != .distantFuture }
      if hosted.isInDeadlines { partitionsWithDeadlines.append(hosted) }
    }
    guard !partitionsWithDeadlines.isEmpty else { return }
    timers.schedule(.appendDeadlines, at: now.advanced(byMilliseconds: Self.deadlineCheckIntervalMs))
  }

  /// Until when an append with acks=all may take, where other brokers have a say.
  func appendDeadline(_ hosted: HostedPartition, acks: Int16, timeoutMs: Int32) -> Instant {
    guard acks == -1, hosted.partition.hasOtherReplicas else { return .distantFuture }
    return now.advanced(byMilliseconds: Int64(max(0, timeoutMs)))
  }
}
