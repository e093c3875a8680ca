import Cluster
import KafkaProtocol
import Primitives
import Testing

@testable import Replication

@Suite struct ReplicaFetcherTests {
  private let a = TopicIDPartition(UUID(high: 1, low: 1), 0)
  private let b = TopicIDPartition(UUID(high: 1, low: 1), 1)
  private let c = TopicIDPartition(UUID(high: 2, low: 2), 0)
  private let now = Instant(nanoseconds: 1_000_000_000)

  private func fetcher(_ partitions: [TopicIDPartition]) -> ReplicaFetcher {
    var fetcher = ReplicaFetcher(
      leader: BrokerID(2), brokerID: BrokerID(1), brokerEpoch: 77,
      config: ReplicaFetcherConfig(
        partitionBytesMax: 1000, responseBytesMax: 5000, bytesMin: 1, waitMsMax: 500, backoffMs: 100))
    for partition in partitions { fetcher.add(partition, leaderEpoch: LeaderEpoch(3)) }
    return fetcher
  }

  private func at(_ offset: Int64) -> FetchReadiness {
    .at(FetchPosition(offset: Offset(offset), lastFetchedEpoch: LeaderEpoch(3), logStartOffset: .zero))
  }

  private func named(_ request: FetchRequest?) -> [TopicIDPartition] {
    (request?.topics ?? []).flatMap { topic in
      topic.partitions.map { TopicIDPartition(topic.topicId, $0.partition) }
    }
  }

  private func forgotten(_ request: FetchRequest?) -> [TopicIDPartition] {
    (request?.forgottenTopicsData ?? []).flatMap { topic in
      topic.partitions.map { TopicIDPartition(topic.topicId, $0) }
    }
  }

  private func answer(
    _ session: Int32, _ partitions: [(TopicIDPartition, FetchResponse.PartitionData)]
  ) -> FetchResponse {
    FetchResponse(
      sessionId: session,
      responses: partitions.map { key, data in
        var data = data
        data.partitionIndex = key.partition
        return .init(topicId: key.topicID, partitions: [data])
      })
  }

  @Test func theFirstRequestNamesEverythingTheNextOnlyWhatChanged() throws {
    var fetcher = fetcher([a, b])
    let first = try #require(fetcher.nextRequest(now: now) { _ in at(5) })
    #expect(first.replicaState == .init(replicaId: 1, replicaEpoch: 77) && first.sessionEpoch == 0)
    #expect(first.maxWaitMs == 500 && first.minBytes == 1 && first.maxBytes == 5000)
    #expect(named(first) == [a, b])
    let partition = first.topics[0].partitions[0]
    #expect(partition.fetchOffset == 5 && partition.currentLeaderEpoch == 3 && partition.lastFetchedEpoch == 3)
    #expect(fetcher.nextRequest(now: now) { _ in at(5) } == nil, "one at a time")
    let outcomes = fetcher.take(answer(9, [(a, .init(highWatermark: 4, logStartOffset: 1))]), now: now)
    #expect(outcomes.map(\.partition) == [a] && outcomes[0].leaderEpoch == LeaderEpoch(3))
    #expect(outcomes[0].result == .records(.null, highWatermark: Offset(4), logStartOffset: Offset(1)))
    let second = try #require(fetcher.nextRequest(now: now) { $0 == a ? at(6) : at(5) })
    #expect(named(second) == [a] && second.sessionId == 9 && second.sessionEpoch == 1)
    _ = fetcher.take(answer(9, []), now: now)
    let third = fetcher.nextRequest(now: now) { $0 == a ? at(6) : at(5) }
    #expect(named(third).isEmpty && third?.sessionEpoch == 2)
  }

  @Test func whatCannotBeFetchedLeavesTheSession() {
    var fetcher = fetcher([a, c])
    _ = fetcher.nextRequest(now: now) { _ in at(5) }
    _ = fetcher.take(answer(9, []), now: now)
    let request = fetcher.nextRequest(now: now) { $0 == a ? .notNow : at(5) }
    #expect(forgotten(request) == [a] && named(request).isEmpty)
    _ = fetcher.take(answer(9, []), now: now)
    #expect(named(fetcher.nextRequest(now: now) { _ in at(5) }) == [a])
    _ = fetcher.take(answer(9, []), now: now)
    fetcher.remove(a)
    fetcher.remove(c)
    #expect(fetcher.isEmpty && fetcher.nextRequest(now: now) { _ in at(5) } == nil)
  }

  @Test func answersForWhatWentOrChangedAreDropped() {
    var fetcher = fetcher([a, b, c])
    _ = fetcher.nextRequest(now: now) { _ in at(5) }
    fetcher.remove(a)
    fetcher.add(b, leaderEpoch: LeaderEpoch(4))
    let data = FetchResponse.PartitionData(highWatermark: 4)
    let stranger = TopicIDPartition(UUID(high: 9, low: 9), 0)
    let outcomes = fetcher.take(answer(9, [(a, data), (b, data), (c, data), (c, data), (stranger, data)]), now: now)
    #expect(outcomes.map(\.partition) == [c], "and what is told twice counts once")
    let request = fetcher.nextRequest(now: now) { _ in at(5) }
    #expect(forgotten(request) == [a, b] && named(request) == [b], "what was dropped must be told again")
    #expect(fetcher.take(answer(9, []), now: now).isEmpty && fetcher.take(answer(9, [(c, data)]), now: now).isEmpty)
  }

  @Test func errorsOfAPartitionMakeItBackOff() {
    var fetcher = fetcher([a, c])
    _ = fetcher.nextRequest(now: now) { _ in at(5) }
    var moved = FetchResponse.PartitionData(errorCode: .notLeaderOrFollower, highWatermark: -1)
    moved.currentLeader = .init(leaderId: 7, leaderEpoch: 4)
    let outcomes = fetcher.take(answer(9, [(a, moved)]), now: now)
    #expect(outcomes.map(\.result) == [.failed(.notLeaderOrFollower, newLeader: BrokerID(7))])
    #expect(forgotten(fetcher.nextRequest(now: now) { _ in at(5) }) == [a])
    _ = fetcher.take(answer(9, []), now: now)
    let later = now.advanced(byMilliseconds: 10)
    #expect(fetcher.nextAttempt(after: now) == later)
    #expect(named(fetcher.nextRequest(now: later) { _ in at(5) }) == [a])
  }

  /// Failures that lie long behind do not make a hiccup cost more.
  @Test func aGoodAnswerMakesTheNextPauseShortAgain() {
    var fetcher = fetcher([a])
    var time = now
    for _ in 0..<8 {
      _ = fetcher.nextRequest(now: time) { _ in at(5) }
      fetcher.failed(now: time)
      time = fetcher.nextAttempt(after: time) ?? time
      _ = fetcher.nextRequest(now: time) { _ in at(5) }
      _ = fetcher.take(answer(9, [(a, .init(highWatermark: 5))]), now: time)
    }
    _ = fetcher.nextRequest(now: time) { _ in at(5) }
    fetcher.failed(now: time)
    #expect(fetcher.nextAttempt(after: time) == time.advanced(byMilliseconds: 10))
  }

  /// What passes in a moment is tried again soon, what does not is left alone.
  @Test func pausesGrowUntilSomethingComes() {
    var fetcher = fetcher([a])
    var pauses: [Int64] = []
    var time = now
    for _ in 0..<6 {
      _ = fetcher.nextRequest(now: time) { _ in at(5) }
      _ = fetcher.take(answer(9, [(a, .init(errorCode: .unknownLeaderEpoch, highWatermark: -1))]), now: time)
      let next = fetcher.nextAttempt(after: time) ?? time
      pauses.append(next.milliseconds(since: time))
      time = next
    }
    #expect(pauses == [10, 20, 40, 80, 100, 100])
    _ = fetcher.nextRequest(now: time) { _ in at(5) }
    _ = fetcher.take(answer(9, [(a, .init(highWatermark: 5))]), now: time)
    _ = fetcher.nextRequest(now: time) { _ in at(5) }
    fetcher.failed(now: time)
    #expect(fetcher.nextAttempt(after: time) == time.advanced(byMilliseconds: 10))
  }

  @Test func aRequestStaysNoLongerThanAnotherPartitionHasToWait() {
    var fetcher = fetcher([a, c])
    #expect(fetcher.nextRequest(now: now) { _ in at(5) }?.maxWaitMs == 500)
    _ = fetcher.take(answer(9, [(a, .init(errorCode: .unknownLeaderEpoch, highWatermark: -1))]), now: now)
    #expect(fetcher.nextRequest(now: now) { _ in at(5) }?.maxWaitMs == 10)
  }

  @Test func partingsAndStartsAreNoErrors() {
    var fetcher = fetcher([a, c])
    _ = fetcher.nextRequest(now: now) { _ in at(5) }
    var diverging = FetchResponse.PartitionData(highWatermark: 9)
    diverging.divergingEpoch = .init(epoch: 2, endOffset: 3)
    let out = FetchResponse.PartitionData(errorCode: .offsetOutOfRange, highWatermark: -1, logStartOffset: 8)
    let outcomes = fetcher.take(answer(9, [(a, diverging), (c, out)]), now: now)
    #expect(outcomes[0].result == .diverging(LeaderEpoch(2), endOffset: Offset(3)))
    #expect(outcomes[1].result == .outOfRange(logStartOffset: Offset(8)))
    #expect(named(fetcher.nextRequest(now: now) { $0 == a ? at(3) : at(8) }).count == 2)
  }

  @Test func aLostSessionIsBegunAnewAtOnce() {
    var fetcher = fetcher([a])
    _ = fetcher.nextRequest(now: now) { _ in at(5) }
    _ = fetcher.take(answer(9, []), now: now)
    _ = fetcher.nextRequest(now: now) { _ in at(5) }
    #expect(fetcher.take(FetchResponse(errorCode: .fetchSessionIdNotFound), now: now).isEmpty)
    let request = fetcher.nextRequest(now: now) { _ in at(5) }
    #expect(request?.sessionEpoch == 0 && named(request) == [a])
    // Where even that is refused, not at once.
    _ = fetcher.take(FetchResponse(errorCode: .fetchSessionIdNotFound), now: now)
    #expect(fetcher.nextRequest(now: now) { _ in at(5) } == nil)
  }

  @Test func aLeaderWithoutRoomForASessionIsToldEverything() {
    var fetcher = fetcher([a])
    for _ in 0..<3 {
      let request = fetcher.nextRequest(now: now) { _ in at(5) }
      #expect(request?.sessionEpoch == 0 && named(request) == [a])
      _ = fetcher.take(answer(0, []), now: now)
    }
  }

  @Test func afterAFailureTheFetcherWaitsAndBeginsASession() {
    var fetcher = fetcher([a])
    _ = fetcher.nextRequest(now: now) { _ in at(5) }
    _ = fetcher.take(answer(9, []), now: now)
    _ = fetcher.nextRequest(now: now) { _ in at(6) }
    fetcher.failed(now: now)
    #expect(fetcher.take(answer(9, [(a, .init(highWatermark: 4))]), now: now).isEmpty, "too late")
    #expect(fetcher.nextRequest(now: now) { _ in at(6) } == nil)
    let request = fetcher.nextRequest(now: now.advanced(byMilliseconds: 100)) { _ in at(6) }
    #expect(request?.sessionEpoch == 0)
  }

  @Test func aRequestWaitsForFlushesButNotForLong() {
    var fetcher = fetcher([a, c])
    #expect(fetcher.nextRequest(now: now) { $0 == a ? .afterFlush : at(5) } == nil)
    #expect(named(fetcher.nextRequest(now: now) { _ in at(5) }) == [a, c])
    _ = fetcher.take(answer(9, []), now: now)
    #expect(fetcher.nextRequest(now: now) { $0 == a ? .afterFlush : at(5) } == nil)
    let later = now.advanced(byMilliseconds: 20)
    #expect(fetcher.nextAttempt(after: now) == later)
    let request = fetcher.nextRequest(now: later) { $0 == a ? .afterFlush : at(5) }
    #expect(request?.maxWaitMs == 20 && forgotten(request) == [a])
  }

  @Test func theOrderTurns() {
    var fetcher = fetcher([a, b, c])
    var firsts: [TopicIDPartition] = []
    for _ in 0..<3 {
      let request = fetcher.nextRequest(now: now) { _ in at(5) }
      firsts += named(request).prefix(1)
      _ = fetcher.take(answer(0, []), now: now)
    }
    #expect(firsts == [a, b, c])
  }

  @Test func anotherBrokerEpochBeginsAnotherSession() {
    var fetcher = fetcher([a])
    _ = fetcher.nextRequest(now: now) { _ in at(5) }
    fetcher.brokerEpoch = 78
    _ = fetcher.take(answer(9, []), now: now)
    let request = fetcher.nextRequest(now: now) { _ in at(5) }
    #expect(request?.sessionEpoch == 0 && request?.replicaState.replicaEpoch == 78)
  }
}
