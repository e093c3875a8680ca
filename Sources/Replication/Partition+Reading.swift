package import Primitives
package import Storage

/// What is read here: by consumers, and on a leader by followers.
extension Partition {
  /// Reads for a consumer, on a leader or a follower: nothing at or above the high watermark.
  package func read(from offset: Offset, maxBytes: Int, minOneBatch: Bool) throws(KafkaError) -> LogSlice {
    try checkPresence(of: offset)
    do {
      return try log.read(from: offset, maxBytes: maxBytes, upTo: highWatermark, minOneBatch: minOneBatch)
    } catch { throw Self.kafkaError(error, topicPartition) }
  }

  /// Offsets that this replica has lost, and another one has, are not passed over: a consumer would miss them, a follower
  /// would take them for compacted.
  private func checkPresence(of offset: Offset) throws(KafkaError) {
    guard hasOtherReplicas, log.isMissing(offset) else { return }
    throw KafkaError(.corruptMessage, "\(topicPartition): offset \(offset.value) is missing here")
  }

  /// Where the log of `epoch` ends (KIP-101): never below what has been served.
  package func endOffset(for epoch: LeaderEpoch) -> (leaderEpoch: LeaderEpoch, endOffset: Offset) {
    if isLeader, epoch == leaderEpoch { return (epoch, log.logEndOffset) }
    let found = log.endOffset(for: epoch)
    return (found.epoch, found.endOffset)
  }

  /// What a leader has for a follower.
  package enum FollowerRead: Sendable {
    /// Batches from the offset on, up to the end of what is written, flushed or not; the fetch counts.
    case records(LogSlice)
    /// The follower's history leaves this one: its last term ends here, or is none here. It has to cut its log.
    case diverging(LeaderEpoch, endOffset: Offset)
    /// The log begins behind the offset asked for, or ends before it: OFFSET_OUT_OF_RANGE, with `logStartOffset` in the
    /// answer, for that is where a follower that has nothing of use begins anew.
    case outOfRange(logStartOffset: Offset)
  }

  /// Reads for a follower; changes nothing. When the answer is `.records`, the shard says `followerFetched`, once a request.
  ///
  /// - Throws: NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH (also where this broker does not know yet
  ///   that the follower is a replica), INVALID_REQUEST where the follower does not say in which term it fetches, and what
  ///   reading a log throws.
  package func read(
    for fetch: FollowerFetch, maxBytes: Int, minOneBatch: Bool
  ) throws(KafkaError) -> FollowerRead {
    guard let leading else {
      throw KafkaError(.notLeaderOrFollower, "broker \(brokerID.value) does not lead \(topicPartition)")
    }
    guard fetch.currentLeaderEpoch.value >= 0 else {
      throw KafkaError(.invalidRequest, "a replica's fetch of \(topicPartition) does not say its leader epoch")
    }
    try checkLeaderEpoch(fetch.currentLeaderEpoch.value)
    guard let position = leading.position(of: fetch.replica) else {
      throw KafkaError(.unknownLeaderEpoch, "broker \(fetch.replica.value) holds no replica of \(topicPartition)")
    }
    // A process that has ended since asks in vain (KIP-903).
    if fetch.brokerEpoch < leading.replicas[position].fetchedBrokerEpoch {
      throw KafkaError(.notLeaderOrFollower, "a fetch of broker \(fetch.replica.value) from before it started anew")
    }
    let offset = fetch.position.offset
    if fetch.position.lastFetchedEpoch.value >= 0 {
      let end = endOffset(for: fetch.position.lastFetchedEpoch)
      guard end.leaderEpoch.value >= 0, end.endOffset.value >= 0, offset >= log.logStartOffset else {
        return .outOfRange(logStartOffset: log.logStartOffset)
      }
      if end.leaderEpoch < fetch.position.lastFetchedEpoch || end.endOffset < offset {
        return .diverging(end.leaderEpoch, endOffset: end.endOffset)
      }
    }
    guard offset >= log.logStartOffset, offset <= log.logEndOffset else {
      return .outOfRange(logStartOffset: log.logStartOffset)
    }
    try checkPresence(of: offset)
    do {
      return .records(
        try log.read(from: offset, maxBytes: maxBytes, upTo: log.writtenEndOffset, minOneBatch: minOneBatch))
    } catch { throw Self.kafkaError(error, topicPartition) }
  }

  /// A follower has fetched: it has everything below its offset, safe, in this leader's history. `fetch` is one that
  /// `read(for:)` answered with records in the same term. Then ask `advanceHighWatermark`, and `isrChange` where the result
  /// says that the follower is not in the isr.
  ///
  /// - Parameter sentAfter: a time before the follower sent the fetch, where that is known.
  /// - Returns: whether the follower is outside the isr, and so may be about to join it.
  @discardableResult
  package func followerFetched(_ fetch: FollowerFetch, sentAfter: Instant? = nil, now: Instant) -> Bool {
    guard fetch.currentLeaderEpoch == leaderEpoch, let position = leading?.position(of: fetch.replica) else {
      return false
    }
    leading?.clock = now
    leading?.replicas[position].fetched(
      at: fetch.position.offset, logStartOffset: fetch.position.logStartOffset, brokerEpoch: fetch.brokerEpoch,
      leaderLogEndOffset: log.logEndOffset, now: now)
    if let sentAfter { leading?.replicas[position].followedAt = sentAfter }
    return leading?.isr.contains(fetch.replica) == false
  }
}

extension Partition {
  /// Whether this broker led the partition at `time`, and nobody else: each replica that could have been elected in its place has
  /// followed in this term since then. A leader that is cut off from the cluster does not hear that it is one no more.
  package func hasLed(at time: Instant) -> Bool {
    guard let leading else { return false }
    return leading.replicas.allSatisfy { hasFollowed($0, since: time, leading) }
  }

  /// Whether it is that replica that `hasLed` waits for.
  package func mustFollow(_ replica: BrokerID, since time: Instant) -> Bool {
    guard let leading, let position = leading.position(of: replica) else { return false }
    return !hasFollowed(leading.replicas[position], since: time, leading)
  }

  private func hasFollowed(_ replica: RemoteReplica, since time: Instant, _ leading: LeaderState) -> Bool {
    guard leading.mayBeInSync(replica.id) else { return true }
    return replica.followedAt.map { $0 >= time } ?? false
  }

  /// Whether other brokers hold the partition too: what is appended here has to be confirmed by them.
  package var hasOtherReplicas: Bool { leading.map { !$0.replicas.isEmpty } ?? (following != nil) }
}
