package import Cluster
package import KafkaProtocol
package import Primitives

/// What a leader's answer says of one partition.
package struct FetchOutcome: Sendable, Equatable {
  package let partition: TopicIDPartition
  /// The term, and the position, of the request.
  package let leaderEpoch: LeaderEpoch
  package let position: FetchPosition
  package let result: Result

  package enum Result: Sendable, Equatable {
    /// Batches (none is an answer too), and the leader's marks. Then `Partition.appendFetched`.
    case records(RecordsPayload, highWatermark: Offset, logStartOffset: Offset)
    /// The histories part: `Partition.truncate(toAgreeWith:)`.
    case diverging(LeaderEpoch, endOffset: Offset)
    /// There is nothing at that offset: `Partition.restart(at:)` where the leader's log begins.
    case outOfRange(logStartOffset: Offset)
    /// It backs off. `newLeader` is set where the leader knows of another one (KIP-951).
    case failed(ErrorCode, newLeader: BrokerID?)
  }
}

extension ReplicaFetcher {
  /// Takes the answer to the request under way. Says what of each partition is to be done; partitions that went, or got
  /// another term, since they were asked for are left out, and so are those of which the leader has nothing to say.
  package mutating func take(_ response: FetchResponse, now: Instant) -> [FetchOutcome] {
    guard let asked else { return [] }
    self.asked = nil
    guard response.errorCode == .none else {
      sessionFailed(response.errorCode, now)
      return []
    }
    failureCount = 0
    if !isSessionStale { noteSession(response.sessionId, asked) }
    var outcomes: [FetchOutcome] = []
    var seen: Set<TopicIDPartition> = []
    for topic in response.responses {
      for data in topic.partitions {
        let key = TopicIDPartition(topic.topicId, data.partitionIndex)
        guard let ask = asked[key], seen.insert(key).inserted, isCurrent(ask) else { continue }
        #if DEBUG
          if mutation == .highWatermarkBeforeTruncation, data.divergingEpoch.endOffset >= 0 {
            var early = data
            early.divergingEpoch = .init()
            early.records = .null
            outcomes.append(outcome(early, ask, now))
          }
        #endif
        outcomes.append(outcome(data, ask, now))
      }
    }
    return outcomes
  }

  /// Whether a partition is still fetched as it was when it was asked for.
  private func isCurrent(_ ask: Asked) -> Bool { sources[ask.key]?.generation == ask.generation }

  private mutating func outcome(
    _ data: FetchResponse.PartitionData, _ ask: Asked, _ now: Instant
  ) -> FetchOutcome {
    let result: FetchOutcome.Result
    if data.errorCode == .offsetOutOfRange, data.logStartOffset >= 0 {
      result = .outOfRange(logStartOffset: Offset(data.logStartOffset))
    } else if data.errorCode != .none {
      let leader = BrokerID(data.currentLeader.leaderId)
      backOff(ask.key, now: now)
      result = .failed(data.errorCode, newLeader: leader.value >= 0 && leader != self.leader ? leader : nil)
    } else if data.divergingEpoch.endOffset >= 0 {
      sources[ask.key]?.failureCount = 0
      result = .diverging(LeaderEpoch(data.divergingEpoch.epoch), endOffset: Offset(data.divergingEpoch.endOffset))
    } else {
      sources[ask.key]?.failureCount = 0
      result = .records(
        data.records, highWatermark: Offset(data.highWatermark), logStartOffset: Offset(data.logStartOffset))
    }
    return FetchOutcome(partition: ask.key, leaderEpoch: ask.leaderEpoch, position: ask.position, result: result)
  }

  // MARK: the session

  private mutating func noteSession(_ id: Int32, _ asked: [TopicIDPartition: Asked]) {
    // The leader has no room for a session, or has ended it: everything is told each time.
    guard id > 0 else { return forgetSession() }
    session.held = asked
    if session.epoch == 0 || session.id != id {
      session = Session(id: id, epoch: 1, held: asked)
    } else {
      session.epoch = session.epoch == .max ? 1 : session.epoch + 1
    }
  }

  /// The leader does not know the session any more: the next request asks for a new one, at once. Any other error of the
  /// whole answer is waited out.
  private mutating func sessionFailed(_ code: ErrorCode, _ now: Instant) {
    let isSessionError: Bool =
      [.fetchSessionIdNotFound, .invalidFetchSessionEpoch, .fetchSessionTopicIdError].contains(code)
      && session.epoch != 0
    forgetSession()
    if !isSessionError { backOff(now) }
  }
}
