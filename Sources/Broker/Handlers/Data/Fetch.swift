internal import Configuration
internal import Effects
internal import KafkaProtocol
internal import Observability
internal import Primitives
internal import Records
internal import Replication
internal import Storage

/// A fetch that is being put together or waits for data.
///
/// Can become: answered (enough bytes, an error, its time is up, or the broker stops). A wake-up while it is reading again
/// is remembered and leads to one more reading.
final class FetchWait {
  let sequence: UInt64
  let context: RequestContext
  let session: FetchSession?
  let isFullSession: Bool
  let partitions: [FetchSession.Partition]
  let minBytes: Int
  let maxBytes: Int
  let isReadCommitted: Bool
  let deadline: Instant
  /// The broker that copies from this one, and its epoch; nil for a consumer.
  let follower: (id: BrokerID, epoch: Int64)?
  /// A time before the request was sent; nil where that is not known.
  let sentAfter: Instant?
  let rack: String?
  /// How often its partitions have been read.
  var readCount = 0
  var outcomes: [PartitionTask.Outcome] = []
  var isReading = false
  var wasWoken = false

  init(
    sequence: UInt64, context: RequestContext, session: FetchSession?, isFullSession: Bool,
    partitions: [FetchSession.Partition], request: FetchRequest, follower: (id: BrokerID, epoch: Int64)?,
    sentAfter: Instant?, maxBytes: Int, deadline: Instant
  ) {
    self.follower = follower
    self.sentAfter = sentAfter
    rack = follower == nil && !request.rackId.isEmpty ? request.rackId : nil
    self.sequence = sequence
    self.context = context
    self.session = session
    self.isFullSession = isFullSession
    self.partitions = partitions
    minBytes = Int(max(0, request.minBytes))
    self.maxBytes = maxBytes
    isReadCommitted = request.isolationLevel == 1
    self.deadline = deadline
  }
}

/// Fetch: read what there is, or wait for it. Answers to `KafkaApis.handleFetchRequest` and `DelayedFetch`.
extension Shard {
  /// No answer is longer, whatever the configuration says: its length must fit the frame's Int32 with all that is around
  /// the records.
  private static let fetchBytesMax = 1 << 30
  /// No fetch waits longer, whatever it asks, so that one whose client has gone does not stay for weeks.
  private static let fetchWaitMsMax: Int64 = 300_000

  func fetch(_ request: FetchRequest, _ context: RequestContext, _ connection: Connection, _ sequence: UInt64) {
    let follower: (id: BrokerID, epoch: Int64)?
    do throws(KafkaError) { follower = try Self.follower(request, context) } catch {
      return answer(connection, sequence, .fetch(FetchResponse(errorCode: error.code)), files: [], source: nil)
    }
    if let follower, broker(of: context) != follower.id {
      // Whoever claims to be a replica must be a broker of this cluster: what a replica fetches counts as stored there.
      if impostorLine.admit(at: now) != nil {
        environment.logger.warning(
          "refused a fetch from \(context.client.address.host) that claims to be broker \(follower.id.value)")
      }
      let response = FetchResponse(errorCode: .clusterAuthorizationFailed)
      return answer(connection, sequence, .fetch(response), files: [], source: nil)
    }
    let resolved: FetchSessionCache.Resolution
    do throws(KafkaError) { resolved = try fetchSessions.resolve(request, context.version, topicName, at: now) } catch {
      let response = FetchResponse(errorCode: error.code)
      return answer(connection, sequence, .fetch(response), files: [], source: nil)
    }
    let maxBytes = max(0, min(Int(request.maxBytes), Int(config.fetchMaxBytes), Self.fetchBytesMax))
    let fetch = FetchWait(
      sequence: sequence, context: context, session: resolved.session, isFullSession: resolved.isFull,
      partitions: resolved.partitions, request: request, follower: follower, sentAfter: connection.fetchAnsweredAt,
      maxBytes: maxBytes,
      deadline: now.advanced(byMilliseconds: min(Int64(max(0, request.maxWaitMs)), Self.fetchWaitMsMax)))
    connection.fetch = fetch
    readAll(connection, fetch)
  }

  private func topicName(_ id: UUID) -> String? { topicsByID[id]?.name }

  /// The broker that a fetch says it copies for; nil for a consumer's.
  private static func follower(
    _ request: FetchRequest, _ context: RequestContext
  ) throws(KafkaError) -> (id: BrokerID, epoch: Int64)? {
    let id = context.version >= 15 ? request.replicaState.replicaId : request.replicaId
    guard id >= 0 else { return nil }
    // Older versions lack what keeps a broker that has started anew from vouching for what it lost (KIP-903).
    guard context.version >= 15 else { throw KafkaError(.unsupportedVersion) }
    return (BrokerID(id), request.replicaState.replicaEpoch)
  }

  /// Reads every partition of the fetch, then answers or waits.
  private func readAll(_ connection: Connection, _ fetch: FetchWait) {
    fetch.isReading = true
    fetch.wasWoken = false
    fetch.readCount += 1
    let isFirst = fetch.readCount == 1
    let mayWait = fetch.deadline > now && fetch.minBytes > 0 && !isStopping
    let watcher =
      mayWait
      ? FetchWatcher(shard: index, connection: connection.id, sequence: fetch.sequence) : nil
    let routes = fetch.partitions.map { route($0, fetch.context.version) }
    if watcher != nil {
      for case .success((_, _, let place)) in routes {
        switch place {
        case .here, .opening: connection.watchingShards |= 1 << UInt64(index)
        case .shard(let shard): connection.watchingShards |= 1 << UInt64(shard)
        case .offline, .elsewhere: break
        }
      }
    }
    // Each partition is read as if it were alone; what is too much in total is cut when everything is there. Reading is
    // finding a file range: what is cut later has cost nothing. Only what has to come from the disk is shared out before.
    let coldBytesMax = max(64 << 10, fetch.maxBytes / max(1, fetch.partitions.count))
    runTasks(
      routes,
      work: { position in
        let partition = fetch.partitions[position]
        let isHeldBack = fetch.follower.map { self.isHeldBack(partition, for: $0.id) } ?? false
        return .read(
          PartitionTask.ReadTask(
            offset: partition.fetchOffset,
            maxBytes: isHeldBack ? 0 : min(Int(max(0, partition.maxBytes)), fetch.maxBytes),
            currentLeaderEpoch: partition.currentLeaderEpoch, lastFetchedEpoch: partition.lastFetchedEpoch,
            isReadCommitted: fetch.isReadCommitted, minOneBatch: !isHeldBack, coldBytesMax: coldBytesMax,
            // More records would wake it in vain.
            watcher: isHeldBack ? nil : watcher,
            follower: fetch.follower.map {
              .init(
                replica: $0.id, brokerEpoch: $0.epoch, logStartOffset: partition.logStartOffset, counts: isFirst,
                sentAfter: fetch.sentAfter)
            }, rack: fetch.rack, mayReadFollower: fetch.context.version >= 11))
      },
      finish: { [unowned self] outcomes in
        guard !connection.isClosed, connection.fetch === fetch else { return }
        fetch.outcomes = outcomes
        fetch.isReading = false
        decide(connection, fetch)
      })
  }

  private func route(_ partition: FetchSession.Partition, _ version: Int16) -> Routed {
    if version >= 13 {
      guard let topic = topicsByID[partition.topicID] else { return .failure(KafkaError(.unknownTopicId)) }
      guard let place = topic.place(partition.partition) else {
        return .failure(KafkaError(.unknownTopicOrPartition))
      }
      return .success((topic.id, partition.partition, place))
    }
    return route(partition.topic, partition.partition)
  }

  /// Answers a fetch that has what it asked for, cannot have it, or has waited long enough; lets it wait otherwise.
  private func decide(_ connection: Connection, _ fetch: FetchWait) {
    var byteCount = 0
    var mustAnswer = fetch.partitions.isEmpty || isStopping || fetch.deadline <= now
    for outcome in fetch.outcomes {
      switch outcome {
      case .read(let read):
        byteCount += read.byteCount
        if read.error != .none || read.divergingEpoch != nil || read.preferredReadReplica >= 0 || read.mustAnswer {
          mustAnswer = true
        }
      default: mustAnswer = true
      }
    }
    if mustAnswer || byteCount >= fetch.minBytes { return finishFetch(connection, fetch) }
    if fetch.wasWoken { return readAll(connection, fetch) }
    guard connection.fetchTimer == nil else { return }
    connection.fetchTimer = timers.schedule(.fetch(connection.id, sequence: fetch.sequence), at: fetch.deadline)
  }

  /// A partition that a fetch waits on has grown.
  func fetchWoken(_ id: ConnectionID, _ sequence: UInt64) {
    guard let connection = connection(id), let fetch = connection.fetch, fetch.sequence == sequence else { return }
    if fetch.isReading { fetch.wasWoken = true } else { readAll(connection, fetch) }
  }

  func fetchTimerFired(_ id: ConnectionID, _ sequence: UInt64) {
    guard let connection = connection(id), let fetch = connection.fetch, fetch.sequence == sequence else { return }
    connection.fetchTimer = nil
    // While a reading is under way its end sees that the time is up.
    if !fetch.isReading { finishFetch(connection, fetch) }
  }

  /// More may be seen of a partition, or it is led by others: whoever waits for it looks again.
  func wakeWatchers(_ hosted: HostedPartition) {
    guard !hosted.watchers.isEmpty else { return }
    let watchers = hosted.watchers
    hosted.watchers.removeAll(keepingCapacity: true)
    wake(watchers)
  }

  /// More has been written: followers want it before it may be seen.
  func wakeFollowers(_ hosted: HostedPartition) {
    guard !hosted.followerWatchers.isEmpty else { return }
    let watchers = hosted.followerWatchers
    hosted.followerWatchers.removeAll(keepingCapacity: true)
    wake(watchers)
  }

  private func wake(_ watchers: [FetchWatcher]) {
    for watcher in watchers {
      if watcher.shard == index {
        fetchWoken(watcher.connection, watcher.sequence)
      } else {
        environment.links.send(.fetchWake(watcher.connection, sequence: watcher.sequence), to: watcher.shard)
      }
    }
  }

  func forgetWatches(from shard: Int, _ connection: ConnectionID) {
    guard let watched = watches.removeValue(forKey: WatchKey(shard: shard, connection: connection)) else { return }
    for hosted in watched.values {
      hosted.watchers.removeAll { $0.connection == connection && $0.shard == shard }
      hosted.followerWatchers.removeAll { $0.connection == connection && $0.shard == shard }
    }
  }

  /// Reads one partition of this shard, and leaves a watch when the fetch may have to wait for it. nil when the disk has
  /// to be waited for: the outcome then comes by `finishTask(waits)`.
  func read(
    _ task: PartitionTask.ReadTask, from hosted: HostedPartition, waits: (RequestToken, Int)
  ) -> PartitionTask.Outcome? {
    var slice = LogSlice(range: nil, baseOffset: Offset(task.offset), nextOffset: nil)
    let outcome = find(task, in: hosted, &slice)
    return fromDisk(slice, outcome, task, hosted, waits) ? nil : .read(outcome)
  }

  private func find(
    _ task: PartitionTask.ReadTask, in hosted: HostedPartition, _ slice: inout LogSlice
  ) -> PartitionTask.ReadOutcome {
    let partition = hosted.partition
    var outcome = PartitionTask.ReadOutcome()
    do throws(KafkaError) {
      if let follower = task.follower {
        try find(task, follower, in: hosted, &slice, &outcome)
      } else {
        try findForConsumer(task, in: partition, &slice, &outcome)
      }
    } catch {
      outcome = PartitionTask.ReadOutcome(error: error.code)
      if error.code == .corruptMessage { noteCorruptRead(hosted, at: Offset(task.offset)) }
    }
    if outcome.error == .none || outcome.error == .offsetOutOfRange && task.follower != nil {
      outcome.highWatermark = partition.highWatermark.value
      outcome.lastStableOffset = partition.highWatermark.value
      outcome.logStartOffset = partition.log.logStartOffset.value
    }
    guard outcome.error == .none else { return outcome }
    // A reader at the end wants to see what is in the file already.
    if partition.waitsForFlush, task.watcher != nil || outcome.range == nil { wantFlush(hosted) }
    if let watcher = task.watcher {
      hosted.watch(watcher, asFollower: task.follower != nil)
      let key = WatchKey(shard: watcher.shard, connection: watcher.connection)
      watches[key, default: [:]][ObjectIdentifier(hosted)] = hosted
    }
    return outcome
  }

  private func findForConsumer(
    _ task: PartitionTask.ReadTask, in partition: Partition, _ slice: inout LogSlice,
    _ outcome: inout PartitionTask.ReadOutcome
  ) throws(KafkaError) {
    guard partition.isLeader || task.mayReadFollower else { throw KafkaError(.notLeaderOrFollower) }
    if case .idle = partition.role { throw KafkaError(.notLeaderOrFollower) }
    try partition.checkLeaderEpoch(task.currentLeaderEpoch)
    if task.lastFetchedEpoch >= 0 {
      let end = partition.endOffset(for: LeaderEpoch(task.lastFetchedEpoch))
      // An epoch this log has never heard of: the fetcher must look where its history leaves ours.
      if end.leaderEpoch.value < 0 || end.endOffset.value < 0 { throw KafkaError(.offsetOutOfRange) }
      if end.leaderEpoch.value < task.lastFetchedEpoch || end.endOffset.value < task.offset {
        outcome.divergingEpoch = (end.leaderEpoch.value, end.endOffset.value)
        return
      }
    }
    if let rack = task.rack, isRackAware {
      let nearer = partition.preferredReadReplica(
        rack: rack, ownRack: startConfig.brokerRack, offset: Offset(task.offset), now: now)
      if let nearer {
        outcome.preferredReadReplica = nearer.value
        return
      }
    }
    slice = try partition.read(
      from: Offset(task.offset), maxBytes: task.maxBytes, minOneBatch: task.minOneBatch)
    outcome.range = slice.range
  }

  /// Reads for another broker, and takes note of what its fetch says: it has everything below its offset.
  private func find(
    _ task: PartitionTask.ReadTask, _ follower: PartitionTask.FollowerTask, in hosted: HostedPartition,
    _ slice: inout LogSlice, _ outcome: inout PartitionTask.ReadOutcome
  ) throws(KafkaError) {
    let fetch = FollowerFetch(
      replica: follower.replica, brokerEpoch: follower.brokerEpoch,
      currentLeaderEpoch: LeaderEpoch(task.currentLeaderEpoch),
      position: FetchPosition(
        offset: Offset(task.offset), lastFetchedEpoch: LeaderEpoch(task.lastFetchedEpoch),
        logStartOffset: Offset(follower.logStartOffset)))
    switch try hosted.partition.read(for: fetch, maxBytes: task.maxBytes, minOneBatch: task.minOneBatch) {
    case .records(let found):
      slice = found
      outcome.range = found.range
      if follower.counts {
        if hosted.partition.followerFetched(fetch, sentAfter: follower.sentAfter, now: now) { wantIsrChange(hosted) }
        noteSafe(hosted)
        settleLeadershipWaits(hosted)
      }
      outcome.mustAnswer = isAwaited(follower.replica, hosted)
    case .diverging(let epoch, let endOffset): outcome.divergingEpoch = (epoch.value, endOffset.value)
    case .outOfRange: outcome.error = .offsetOutOfRange
    }
  }

  /// Whether consumers are told of replicas in their own rack (`replica.selector.class`).
  private var isRackAware: Bool { startConfig.replicaSelector == .rackAware && startConfig.brokerRack != nil }

  /// Answers a fetch with what it has.
  func finishFetch(_ connection: Connection, _ fetch: FetchWait) {
    connection.fetch = nil
    connection.fetchAnsweredAt = now
    connection.fetchTimer.map { timers.cancel($0) }
    connection.fetchTimer = nil
    var topics: [FetchResponse.FetchableTopicResponse] = []
    var files: [FileRange] = []
    var scratchUsed = 0
    var budget = fetch.maxBytes
    var isFirst = true
    var hadNoRoom: FetchSession.Partition?
    for (partition, outcome) in zip(fetch.partitions, fetch.outcomes) {
      var data = Self.partitionData(partition.partition, outcome)
      var range: FileRange?
      if case .read(let read) = outcome, let found = read.range {
        range = Self.cut(found, to: budget, limit: Int(max(0, partition.maxBytes)), isFirst: isFirst)
        budget -= range?.byteCount ?? 0
        if let follower = fetch.follower { noteSent(range?.byteCount ?? 0, of: partition, to: follower.id) }
        isFirst = isFirst && range == nil
        if hadNoRoom == nil, range?.byteCount != found.byteCount { hadNoRoom = partition }
      }
      if let session = fetch.session, !session.mustTell(partition, data, hasRecords: range != nil, fetch.isFullSession)
      {
        continue
      }
      data.records = records(range, &files, &scratchUsed)
      if let last = topics.last, last.topic == partition.topic, last.topicId == partition.topicID {
        topics[topics.count - 1].partitions.append(data)
      } else {
        topics.append(.init(topic: partition.topic, topicId: partition.topicID, partitions: [data]))
      }
    }
    if let hadNoRoom { fetch.session?.beginNext(with: hadNoRoom) }
    var response = FetchResponse(sessionId: fetch.session?.id ?? 0, responses: topics)
    if topics.contains(where: { $0.partitions.contains { Self.meansOtherLeader($0.errorCode) } }) {
      nameLeaders(in: &response, for: connection.identity)
    }
    answer(
      connection, fetch.sequence, .fetch(response), files: files,
      source: UnsafeRawBufferPointer(start: readScratch.baseAddress, count: scratchUsed))
  }

  /// The first range goes whole, so that a fetch always gets on; those behind it end where the answer's room ends. A batch
  /// that is cut there is passed over by the client and asked for again. A range that would be nothing but a part of its
  /// first batch is left out, as in Kafka: a client may take it for a batch that can never be read whole.
  private static func cut(_ range: FileRange, to budget: Int, limit: Int, isFirst: Bool) -> FileRange? {
    let byteCount = min(range.byteCount, budget, limit)
    if isFirst || byteCount == range.byteCount { return range }
    guard byteCount >= RecordBatchHeader.byteCount, byteCount >= firstBatchByteCount(range) else { return nil }
    return FileRange(file: range.file, position: range.position, byteCount: byteCount)
  }

  /// The size of the batch that a range begins with; more than any range when it cannot be read.
  private static func firstBatchByteCount(_ range: FileRange) -> Int {
    withUnsafeTemporaryAllocation(byteCount: RecordBatchHeader.byteCount, alignment: 8) { bytes in
      guard (try? range.file.read(into: bytes, at: range.position)) == bytes.count,
        let header = RecordBatchHeader(reading: UnsafeRawBufferPointer(bytes))
      else { return .max }
      return header.totalByteCount
    }
  }

  /// Small ranges are read and go out with the answer in one system call; large ones go from the file to the socket.
  private func records(
    _ range: FileRange?, _ files: inout [FileRange], _ scratchUsed: inout Int
  ) -> RecordsPayload {
    guard let range else { return .bytes([]) }
    if range.byteCount <= 16 * 1024, scratchUsed + range.byteCount <= Self.readScratchBytes {
      let target = UnsafeMutableRawBufferPointer(
        rebasing: readScratch[scratchUsed..<scratchUsed + range.byteCount])
      if let count = try? range.file.read(into: target, at: range.position), count == range.byteCount {
        let slice = scratchUsed..<scratchUsed + count
        scratchUsed += count
        return .slice(slice)
      }
    }
    files.append(range)
    return .external(byteCount: range.byteCount)
  }

  private static func partitionData(_ index: Int32, _ outcome: PartitionTask.Outcome) -> FetchResponse.PartitionData {
    switch outcome {
    case .read(let read):
      var data = FetchResponse.PartitionData(
        partitionIndex: index, errorCode: read.error, highWatermark: read.highWatermark,
        lastStableOffset: read.lastStableOffset, logStartOffset: read.logStartOffset)
      data.preferredReadReplica = read.preferredReadReplica
      if let diverging = read.divergingEpoch {
        data.divergingEpoch = .init(epoch: diverging.epoch, endOffset: diverging.endOffset)
      }
      return data
    case .failed(let error):
      return .init(
        partitionIndex: index, errorCode: error.code, highWatermark: -1, lastStableOffset: -1, logStartOffset: -1)
    default: preconditionFailure("a read task came back as \(outcome)")
    }
  }
}
