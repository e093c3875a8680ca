import KafkaProtocol
import Primitives
import Testing

@testable import Broker

@Suite struct FetchSessionTests {
  private let now = Instant(nanoseconds: 1_000_000_000)
  private let names: (UUID) -> String? = { _ in nil }

  private func request(
    id: Int32 = 0, epoch: Int32, _ partitions: [(String, Int32, Int64)] = [], forget: [(String, Int32)] = []
  ) -> FetchRequest {
    FetchRequest(
      sessionId: id, sessionEpoch: epoch,
      topics: partitions.map { .init(topic: $0.0, partitions: [.init(partition: $0.1, fetchOffset: $0.2)]) },
      forgottenTopicsData: forget.map { .init(topic: $0.0, partitions: [$0.1]) })
  }

  private func error(_ body: () throws(KafkaError) -> Void) -> ErrorCode {
    do throws(KafkaError) {
      try body()
      return .none
    } catch { return error.code }
  }

  @Test func aSessionRemembersWhatIsNotRepeated() throws {
    var cache = FetchSessionCache(sessionsMax: 10, shard: 0, shardCount: 1)
    let full = try cache.resolve(request(epoch: 0, [("a", 0, 1), ("b", 0, 2)]), 12, names, at: now)
    let id = try #require(full.session?.id)
    #expect(id != 0 && full.isFull)
    let next = try cache.resolve(
      request(id: id, epoch: 1, [("b", 0, 7), ("c", 1, 3)], forget: [("a", 0)]), 12, names, at: now)
    #expect(!next.isFull)
    #expect(next.partitions.map(\.topic) == ["b", "c"])
    #expect(next.partitions.map(\.fetchOffset) == [7, 3])
    // A partition that was forgotten may come back.
    let again = try cache.resolve(request(id: id, epoch: 2, [("a", 0, 9)]), 12, names, at: now)
    #expect(again.partitions.map(\.topic) == ["b", "c", "a"])
  }

  @Test func partitionsOfAllSessionsAreLimited() throws {
    var cache = FetchSessionCache(sessionsMax: 10, partitionsMax: 4, shard: 0, shardCount: 1)
    let three = [("a", Int32(0), Int64(0)), ("a", 1, 0), ("a", 2, 0)]
    let first = try #require(try cache.resolve(request(epoch: 0, three), 12, names, at: now).session)
    let second = try cache.resolve(request(epoch: 0, three), 12, names, at: now)
    #expect(second.session == nil && second.partitions.count == 3, "read without a session")
    let grown = try cache.resolve(request(id: first.id, epoch: 1, [("b", 0, 0), ("b", 1, 0)]), 12, names, at: now)
    #expect(grown.session == nil && grown.isFull && grown.partitions.count == 5)
    #expect(
      error { () throws(KafkaError) in _ = try cache.resolve(request(id: first.id, epoch: 2), 12, names, at: now) }
        == .fetchSessionIdNotFound)
    #expect(try cache.resolve(request(epoch: 0, three), 12, names, at: now).session != nil, "there is room again")
  }

  @Test func epochsAreCountedAndCheckedEachTime() throws {
    var cache = FetchSessionCache(sessionsMax: 10, shard: 0, shardCount: 1)
    let id = try #require(try cache.resolve(request(epoch: 0), 12, names, at: now).session?.id)
    _ = try cache.resolve(request(id: id, epoch: 1), 12, names, at: now)
    #expect(
      error { () throws(KafkaError) in _ = try cache.resolve(request(id: id, epoch: 1), 12, names, at: now) }
        == .invalidFetchSessionEpoch)
    #expect(
      error { () throws(KafkaError) in _ = try cache.resolve(request(id: id, epoch: 3), 12, names, at: now) }
        == .invalidFetchSessionEpoch)
    #expect(
      error { () throws(KafkaError) in _ = try cache.resolve(request(id: id + 1, epoch: 2), 12, names, at: now) }
        == .fetchSessionIdNotFound)
    _ = try cache.resolve(request(id: id, epoch: 2), 12, names, at: now)
  }

  @Test func theEpochAfterTheLastIsOne() throws {
    var cache = FetchSessionCache(sessionsMax: 10, shard: 0, shardCount: 1)
    let session = try #require(try cache.resolve(request(epoch: 0), 12, names, at: now).session)
    session.nextEpoch = .max
    _ = try cache.resolve(request(id: session.id, epoch: .max), 12, names, at: now)
    #expect(session.nextEpoch == 1)
  }

  @Test func epochMinusOneEndsASession() throws {
    var cache = FetchSessionCache(sessionsMax: 10, shard: 0, shardCount: 1)
    let id = try #require(try cache.resolve(request(epoch: 0), 12, names, at: now).session?.id)
    let last = try cache.resolve(request(id: id, epoch: -1, [("a", 0, 0)]), 12, names, at: now)
    #expect(last.session == nil && last.partitions.count == 1)
    #expect(
      error { () throws(KafkaError) in _ = try cache.resolve(request(id: id, epoch: 1), 12, names, at: now) }
        == .fetchSessionIdNotFound)
  }

  @Test func aSessionKeepsToNamesOrToIDs() throws {
    var cache = FetchSessionCache(sessionsMax: 10, shard: 0, shardCount: 1)
    let id = try #require(try cache.resolve(request(epoch: 0, [("a", 0, 0)]), 12, names, at: now).session?.id)
    #expect(
      error { () throws(KafkaError) in _ = try cache.resolve(request(id: id, epoch: 1), 13, names, at: now) }
        == .fetchSessionTopicIdError)
  }

  @Test func aFullCacheTakesNobodyButInThePlaceOfASleeper() throws {
    var cache = FetchSessionCache(sessionsMax: 2, shard: 0, shardCount: 1)
    let first = try #require(try cache.resolve(request(epoch: 0), 12, names, at: now).session?.id)
    let later = now.advanced(byMilliseconds: 60_000)
    let second = try #require(try cache.resolve(request(epoch: 0), 12, names, at: later).session?.id)
    #expect(try cache.resolve(request(epoch: 0, [("a", 0, 0)]), 12, names, at: later).session == nil)
    let muchLater = now.advanced(byMilliseconds: 130_000)
    let third = try #require(try cache.resolve(request(epoch: 0), 12, names, at: muchLater).session?.id)
    #expect(Set([first, second, third]).count == 3)
    #expect(
      error { () throws(KafkaError) in _ = try cache.resolve(request(id: first, epoch: 1), 12, names, at: now) }
        == .fetchSessionIdNotFound)
    _ = try cache.resolve(request(id: second, epoch: 1), 12, names, at: muchLater)
  }

  @Test func idsOfDifferentShardsNeverMeet() throws {
    var seen = Set<Int32>()
    for shard in 0..<3 {
      var cache = FetchSessionCache(sessionsMax: 300, shard: shard, shardCount: 3)
      for _ in 0..<100 {
        let id = try #require(try cache.resolve(request(epoch: 0), 12, names, at: now).session?.id)
        #expect(id > 0 && seen.insert(id).inserted)
      }
    }
  }

  @Test func onlyWhatIsNewIsTold() {
    let session = FetchSession(id: 1, at: now)
    let partition = FetchSession.Partition(
      topic: "a", topicID: .zero, partition: 0, fetchOffset: 0, maxBytes: 1, currentLeaderEpoch: -1,
      lastFetchedEpoch: -1)
    session.update(partition)
    func told(_ highWatermark: Int64, _ error: ErrorCode = .none, records: Bool = false, full: Bool = false) -> Bool {
      let data = FetchResponse.PartitionData(
        partitionIndex: 0, errorCode: error, highWatermark: highWatermark, logStartOffset: 0)
      return session.mustTell(partition, data, hasRecords: records, full)
    }
    #expect(told(5, full: true))
    #expect(!told(5))
    #expect(told(6), "the high watermark has moved")
    #expect(!told(6))
    #expect(told(6, records: true))
    #expect(told(-1, .notLeaderOrFollower))
    #expect(told(-1, .notLeaderOrFollower), "an error is told until it is gone")
    #expect(told(6), "and its end too")
    #expect(!told(6))
  }

  @Test func aFetcherWithASessionIsToldOnlyOfPartitionsWithNews() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 4)
    let client = broker.connect()
    func fetch(_ id: Int32, _ epoch: Int32, _ partitions: [(Int32, Int64)]) throws -> FetchResponse {
      let topic = FetchRequest.FetchTopic(
        topic: "orders",
        partitions: partitions.map { .init(partition: $0.0, fetchOffset: $0.1, partitionMaxBytes: 1 << 20) })
      client.send(
        .fetch(
          FetchRequest(
            maxWaitMs: 0, minBytes: 1, sessionId: id, sessionEpoch: epoch, topics: partitions.isEmpty ? [] : [topic])),
        version: 12, key: .fetch)
      broker.settle()
      guard case .fetch(let body) = try client.takeOne().response else { return FetchResponse() }
      return body
    }
    let full = try fetch(0, 0, (0..<4).map { ($0, 0) })
    #expect(full.sessionId != 0)
    #expect(full.responses.flatMap(\.partitions).count == 4)
    #expect(try fetch(full.sessionId, 1, []).responses.isEmpty)
    let producer = broker.connect(to: 1)
    producer.sendProduce("orders", 2, ["news"])
    broker.settle()
    let news = try fetch(full.sessionId, 2, [])
    #expect(news.responses.flatMap(\.partitions).map(\.partitionIndex) == [2])
    #expect(try fetch(full.sessionId, 3, [(2, 1)]).responses.isEmpty)
    #expect(try fetch(full.sessionId, 3, []).errorCode == .invalidFetchSessionEpoch)
    #expect(try fetch(12345, 1, []).errorCode == .fetchSessionIdNotFound)
  }
}
