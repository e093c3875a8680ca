import KafkaProtocol
import Primitives
import Testing

@testable import Broker

@Suite struct FetchWaitTests {
  /// A broker of two shards with a topic on both, a consumer on shard 0 and a producer on shard 1.
  private struct Scene {
    let broker: SimulatedBroker
    let consumer: SimulatedClient
    let producer: SimulatedClient
    let near: Int32
    let far: Int32

    init() throws {
      broker = try SimulatedBroker(shards: 2)
      try broker.create("orders", partitions: 2)
      near = try broker.partition(of: "orders", on: 0)
      far = try broker.partition(of: "orders", on: 1)
      consumer = broker.connect(to: 0)
      producer = broker.connect(to: 1)
    }
  }

  @Test(arguments: [true, false]) func anAppendWakesTheFetchThatWaitsForIt(isNear: Bool) throws {
    let scene = try Scene()
    let partition = isNear ? scene.near : scene.far
    scene.consumer.sendFetch("orders", partition, from: 0, maxWaitMs: 60_000)
    scene.broker.settle()
    #expect(scene.consumer.take().isEmpty)
    scene.producer.sendProduce("orders", partition, ["news"])
    scene.broker.settle()
    #expect(try scene.consumer.takeOne().fetched[0].records == [SeenRecord(offset: 0, value: "news")])
  }

  @Test func anAppendWhileTheFetchIsReadingElsewhereIsNotMissed() throws {
    let scene = try Scene()
    scene.consumer.sendFetch([("orders", scene.near, 0), ("orders", scene.far, 0)], maxWaitMs: 60_000)
    // The near partition has been read and found empty; the far shard has not been asked yet.
    scene.broker.turn(0)
    let other = scene.broker.connect(to: 0)
    other.sendProduce("orders", scene.near, ["in between"])
    scene.broker.turn(0)
    #expect(scene.consumer.take().isEmpty)
    scene.broker.settle()
    #expect(try scene.consumer.takeOne().fetched.map { $0.records.map(\.value) } == [["in between"], []])
  }

  @Test func aFetchThatFindsNothingIsAnsweredWhenItsTimeIsUp() throws {
    let scene = try Scene()
    scene.consumer.sendFetch([("orders", scene.near, 0), ("orders", scene.far, 0)], maxWaitMs: 500)
    scene.broker.settle()
    scene.broker.advance(ms: 499)
    #expect(scene.consumer.take().isEmpty)
    scene.broker.advance(ms: 3)
    let fetched = try scene.consumer.takeOne().fetched
    #expect(fetched.map(\.error) == [.none, .none])
    #expect(fetched.allSatisfy { $0.records.isEmpty })
  }

  @Test func aFetchThatMayNotWaitDoesNot() throws {
    let scene = try Scene()
    scene.consumer.sendFetch([("orders", scene.near, 0)], maxWaitMs: 0)
    scene.consumer.sendFetch([("orders", scene.far, 0)], maxWaitMs: 500, minBytes: 0)
    scene.consumer.sendFetch([("orders", scene.far, 0)], maxWaitMs: -5)
    scene.consumer.sendFetch([], maxWaitMs: 500)
    scene.broker.settle()
    #expect(scene.consumer.take().count == 4)
  }

  @Test func aFetchWaitsForAsManyBytesAsItAsksFor() throws {
    let scene = try Scene()
    let size = Int32(batch(["0"]).count)
    scene.consumer.sendFetch(
      [("orders", scene.near, 0), ("orders", scene.far, 0)], maxWaitMs: 60_000, minBytes: 3 * size)
    scene.broker.settle()
    for (number, partition) in [scene.near, scene.far, scene.near].enumerated() {
      #expect(scene.consumer.take().isEmpty)
      scene.producer.sendProduce("orders", partition, ["\(number)"])
      scene.broker.settle()
    }
    #expect(try scene.consumer.takeOne().fetched.map { $0.records.map(\.value) } == [["0", "2"], ["1"]])
  }

  @Test func aWaitHasOneTimerHoweverOftenItIsWoken() throws {
    let scene = try Scene()
    scene.consumer.sendFetch("orders", scene.near, from: 0, maxWaitMs: 600_000)
    scene.broker.settle()
    let shard = scene.broker.shards[0]
    func timerCount() -> Int {
      var timers = shard.timers
      return timers.advance(to: shard.now.advanced(byMilliseconds: 86_400_000)).count
    }
    let before = timerCount()
    let wide = scene.broker.connect(to: 0)
    wide.sendFetch([("orders", scene.far, 0)], maxWaitMs: 600_000, minBytes: 1 << 20)
    for number in 0..<50 {
      scene.producer.sendProduce("orders", scene.far, ["\(number)"])
      scene.broker.settle()
    }
    #expect(timerCount() <= before + 2, "one for the fetch, one for its connection")
  }

  @Test func anAnswerAlwaysFitsIntoItsLength() throws {
    let broker = try SimulatedBroker(settings: [(name: "fetch.max.bytes", value: "2147483647")])
    try broker.create("orders")
    let client = broker.connect()
    client.sendFetch([("orders", 0, 0)], maxWaitMs: 1000, maxBytes: .max)
    broker.settle()
    let fetch = try #require(broker.shards[0].connection(client.id)?.fetch)
    #expect(fetch.maxBytes == 1 << 30)
  }

  @Test func errorsAreAnsweredAtOnce() throws {
    let scene = try Scene()
    scene.consumer.sendFetch([("orders", scene.near, 5), ("orders", scene.far, 0)], maxWaitMs: 60_000)
    scene.consumer.sendFetch([("orders", scene.far, -1)], maxWaitMs: 60_000)
    scene.consumer.sendFetch([("none", 0, 0)], maxWaitMs: 60_000)
    scene.consumer.sendFetch([("orders", 7, 0), ("orders", -7, 0)], maxWaitMs: 60_000)
    scene.broker.settle()
    let errors = scene.consumer.take().map { $0.fetched.map(\.error) }
    let expected: [[ErrorCode]] = [
      [.offsetOutOfRange, .none], [.offsetOutOfRange], [.unknownTopicOrPartition],
      [.unknownTopicOrPartition, .unknownTopicOrPartition],
    ]
    #expect(errors == expected)
  }

  @Test(arguments: [true, false]) func deletingATopicWakesItsFetches(isNear: Bool) throws {
    let scene = try Scene()
    scene.consumer.sendFetch("orders", isNear ? scene.near : scene.far, from: 0, maxWaitMs: 60_000)
    scene.broker.settle()
    scene.producer.sendDelete("orders")
    scene.broker.settle()
    #expect(try scene.consumer.takeOne().fetched.map(\.error) == [.unknownTopicOrPartition])
  }

  @Test func aStopAnswersTheFetchesThatWait() throws {
    let scene = try Scene()
    scene.consumer.sendFetch([("orders", scene.near, 0), ("orders", scene.far, 0)], maxWaitMs: 60_000)
    scene.broker.settle()
    for shard in scene.broker.shards { shard.beginStop() }
    scene.broker.settle()
    #expect(scene.consumer.answers.map { $0.fetched.map(\.error) } == [[.none, .none]])
    #expect(scene.consumer.isClosed)
  }

  @Test func aConnectionThatGoesLeavesNoWatches() throws {
    let scene = try Scene()
    scene.consumer.sendFetch([("orders", scene.near, 0), ("orders", scene.far, 0)], maxWaitMs: 60_000)
    scene.broker.settle()
    #expect(scene.broker.shards.allSatisfy { $0.hostedPartitions.contains { !$0.watchers.isEmpty } })
    scene.broker.disconnect(scene.consumer)
    scene.broker.settle()
    #expect(scene.broker.shards.allSatisfy { $0.hostedPartitions.allSatisfy { $0.watchers.isEmpty } })
  }

  @Test func aConsumerThatFetchesAgainAndAgainHasOneWatch() throws {
    let scene = try Scene()
    for _ in 0..<20 {
      scene.consumer.sendFetch([("orders", scene.near, 0), ("orders", scene.far, 0)], maxWaitMs: 5)
      scene.broker.settle()
      scene.broker.advance(ms: 7)
      #expect(scene.consumer.take().count == 1)
    }
    for shard in scene.broker.shards { #expect(shard.hostedPartitions.allSatisfy { $0.watchers.count <= 1 }) }
  }

  @Test func anAnswerHoldsNoMoreThanItMay() throws {
    let scene = try Scene()
    let value = String(repeating: "z", count: 1000)
    for partition in [scene.near, scene.far] {
      for _ in 0..<10 { scene.producer.sendProduce("orders", partition, [value]) }
    }
    scene.broker.settle()
    #expect(scene.producer.take().count == 20)
    // One batch goes whole though it is larger than asked for; nothing comes beside it.
    scene.consumer.sendFetch([("orders", scene.near, 0), ("orders", scene.far, 0)], maxBytes: 10)
    scene.broker.settle()
    #expect(try scene.consumer.takeOne().fetched.map(\.records.count) == [1, 0])
    scene.consumer.sendFetch([("orders", scene.near, 0), ("orders", scene.far, 0)], maxBytes: 5500)
    scene.broker.settle()
    let answer = try scene.consumer.takeOne()
    #expect(answer.frame.count < 5500 + 200)
    #expect(answer.fetched.map(\.records.count) == [5, 0])
  }
}
