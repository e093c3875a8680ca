package import Cluster
package import KafkaProtocol
package import Primitives

extension ReplicaFetcher {
  /// The version of Fetch that brokers speak with each other: topic ids, broker epochs, directories.
  package static var version: Int16 { 17 }

  /// What to ask the leader now; nil while a request is under way, while the fetcher backs off, and where no partition can be
  /// fetched. `position` says from where a partition is to be fetched.
  ///
  /// While one is being flushed the request waits for that, for it may itself wait at the leader, and what was flushed would
  /// not be promised meanwhile. Where a flush takes longer than `holdMsMax`, the others are asked for, without a long wait.
  ///
  /// The session holds what can be fetched at the moment: a partition that cannot leaves it, else the leader would go on
  /// answering for it from where it was.
  package mutating func nextRequest(
    now: Instant, position: (TopicIDPartition) -> FetchReadiness
  ) -> FetchRequest? {
    guard asked == nil else { return nil }
    if let backsOffUntil, now < backsOffUntil { return nil }
    backsOffUntil = nil
    var asks: [Asked] = []
    var isHeld = false
    var waitMs = config.waitMsMax
    for key in order {
      guard let source = sources[key] else { continue }
      if let until = source.backsOffUntil, now < until {
        // The request must not stay at the leader beyond the time at which this one is to be tried again.
        waitMs = min(waitMs, Int32(clamping: max(1, until.milliseconds(since: now))))
        continue
      }
      switch position(key) {
      case .at(let position):
        asks.append(
          Asked(key: key, generation: source.generation, leaderEpoch: source.leaderEpoch, position: position))
      case .afterFlush: isHeld = true
      case .notNow: break
      }
    }
    guard !asks.isEmpty, !mustHold(isHeld, now) else { return nil }
    if order.count > 1 { order.append(order.removeFirst()) }
    let all = Dictionary(uniqueKeysWithValues: asks.map { ($0.key, $0) })
    asked = all
    isSessionStale = false
    return request(asks, all, waitMs: isHeld ? min(waitMs, Int32(Self.holdMsMax)) : waitMs)
  }

  /// How long a request waits for the flush of a partition, and may wait at the leader while one goes on.
  static var holdMsMax: Int64 { 20 }

  private mutating func mustHold(_ isHeld: Bool, _ now: Instant) -> Bool {
    guard isHeld else {
      heldSince = nil
      return false
    }
    let since = heldSince ?? now
    heldSince = since
    return now < since.advanced(byMilliseconds: Self.holdMsMax)
  }

  private func request(_ asks: [Asked], _ all: [TopicIDPartition: Asked], waitMs: Int32) -> FetchRequest {
    let isFull = session.epoch == 0
    let named = isFull ? asks : asks.filter { session.held[$0.key] != $0 }
    // One that went and came again is forgotten, too, and named anew: else the leader would not repeat what was dropped here.
    let forgotten =
      isFull
      ? []
      : session.held.values.filter { all[$0.key]?.generation != $0.generation }.map(\.key).sorted(by: Self.isBefore)
    return FetchRequest(
      replicaState: .init(replicaId: brokerID.value, replicaEpoch: brokerEpoch), maxWaitMs: waitMs,
      minBytes: config.bytesMin, maxBytes: config.responseBytesMax, sessionId: session.id,
      sessionEpoch: session.epoch, topics: topics(named),
      forgottenTopicsData: forgotten.map { .init(topicId: $0.topicID, partitions: [$0.partition]) })
  }

  private static func isBefore(_ left: TopicIDPartition, _ right: TopicIDPartition) -> Bool {
    (left.topicID.high, left.topicID.low, left.partition) < (right.topicID.high, right.topicID.low, right.partition)
  }

  /// Neighbours of one topic share its id; the order stays.
  private func topics(_ asks: [Asked]) -> [FetchRequest.FetchTopic] {
    var topics: [FetchRequest.FetchTopic] = []
    for ask in asks {
      let partition = FetchRequest.FetchPartition(
        partition: ask.key.partition, currentLeaderEpoch: ask.leaderEpoch.value, fetchOffset: ask.position.offset.value,
        lastFetchedEpoch: ask.position.lastFetchedEpoch.value, logStartOffset: ask.position.logStartOffset.value,
        partitionMaxBytes: config.partitionBytesMax)
      if topics.last?.topicId == ask.key.topicID {
        topics[topics.count - 1].partitions.append(partition)
      } else {
        topics.append(.init(topicId: ask.key.topicID, partitions: [partition]))
      }
    }
    return topics
  }
}
