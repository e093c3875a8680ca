import KafkaProtocol
import Primitives
import Replication
import TestSupport
import Testing

@testable import Broker

/// Many logs that one change brings are opened a few at a time.
@Suite struct OpeningSlicesTests {
  private static let count: Int32 = 600

  private func openCount(_ broker: SimulatedBroker) -> Int {
    broker.shards.reduce(0) { $0 + $1.hostedPartitions.count { $0.partition.topicPartition.topic == "many" } }
  }

  private func isWaiting(_ broker: SimulatedBroker) -> Bool { !broker.shards.allSatisfy(\.logsToOpen.isEmpty) }

  /// A broker with a topic that is being made: some of its logs are open.
  private func creating(shards: Int = 1) throws -> (SimulatedBroker, SimulatedClient) {
    let broker = try SimulatedBroker(shards: shards)
    try broker.create("other", partitions: 2)
    let maker = broker.connect()
    maker.sendCreate("many", partitions: Self.count)
    for _ in 0..<4 where openCount(broker) == 0 {
      for shard in 0..<shards { broker.turn(shard) }
    }
    let open = openCount(broker)
    try #require(open > 0 && open < Int(Self.count), "\(open) are open")
    return (broker, maker)
  }

  @Test(arguments: [1, 2]) func othersAreServedInBetweenAndTheMakerAtTheEnd(shards: Int) throws {
    let (broker, maker) = try creating(shards: shards)
    let other = broker.connect()
    while isWaiting(broker) {
      #expect(maker.waitingCount == 1, "answered while \(openCount(broker)) are open")
      other.sendProduce("other", 0, ["x"], acks: 1)
      let before = openCount(broker)
      for _ in 0..<2 { for shard in 0..<shards { broker.turn(shard) } }
      #expect(other.take().map { $0.produced[0].errorCode } == [.none])
      #expect(openCount(broker) - before <= 2 * shards * 32)
    }
    broker.settle()
    #expect(try maker.takeOne().topicErrors == [.none])
    #expect(openCount(broker) == Int(Self.count))
  }

  /// Whoever knows the topic already need not wait, as long as it does not ask for all of it at once.
  @Test(arguments: [1, 2]) func whoAsksForAPartitionGetsIt(shards: Int) throws {
    let (broker, _) = try creating(shards: shards)
    let client = broker.connect(to: shards - 1)
    client.sendProduce("many", Self.count - 1, ["early"], acks: 1)
    client.sendProduce([("many", Self.count - 2, batch(["a"])), ("many", Self.count - 3, batch(["b"]))], acks: 1)
    for _ in 0..<3 { for shard in 0..<shards { broker.turn(shard) } }
    #expect(isWaiting(broker))
    #expect(client.take().flatMap { $0.produced.map(\.errorCode) } == [.none, .none, .none])
    broker.settle()
    client.sendProduce("many", Self.count - 1, ["late"])
    client.sendProduce("many", Self.count - 3, ["late"])
    broker.settle()
    #expect(try broker.readAll("many", Self.count - 1).map(\.value) == ["early", "late"])
    #expect(try broker.readAll("many", Self.count - 3).map(\.value) == ["b", "late"])
  }

  @Test func whoAsksForAllOfThemIsToldToComeAgain() throws {
    let (broker, _) = try creating()
    let client = broker.connect()
    client.sendFetch((0..<Self.count).map { ("many", $0, 0) })
    broker.turn(0)
    let errors = try client.takeOne().fetched.map(\.error)
    #expect(errors.contains(.none) && errors.contains(.notLeaderOrFollower))
    #expect(Set(errors) == [.none, .notLeaderOrFollower])
    #expect(isWaiting(broker))
  }

  @Test(arguments: [1, 2]) func aTopicThatIsDeletedMeanwhileLeavesNothing(shards: Int) throws {
    let (broker, maker) = try creating(shards: shards)
    let other = broker.connect(to: shards - 1)
    other.sendDelete("many")
    broker.settle()
    #expect(try maker.takeOne().topicErrors == [.none])
    #expect(try other.takeOne().topicErrors == [.none])
    broker.advance(ms: 3000)
    #expect(try broker.disk.list(SimulatedBroker.directory).allSatisfy { !$0.hasPrefix("many") })
    try broker.create("many", partitions: 3)
    #expect(openCount(broker) == 3)
  }

  @Test func aStopInBetweenLosesNothing() throws {
    let (broker, _) = try creating(shards: 2)
    let client = broker.connect()
    client.sendProduce("many", 0, ["kept"])
    for _ in 0..<3 { for shard in 0..<2 { broker.turn(shard) } }
    try broker.restart()
    #expect(openCount(broker) == Int(Self.count))
    #expect(try broker.readAll("many").map(\.value) == ["kept"])
  }

  /// What cannot be opened is offline; what it held is not replaced by an empty log when the topic changes.
  @Test func whatIsOfflineStaysSo() throws {
    let broker = try SimulatedBroker(settings: [(name: "log.dirs", value: "/data,/data2")])
    try broker.create("orders", partitions: 6)
    let names = try broker.disk.list("/data2")
    let victim = Int32(try #require((0..<6).first { names.contains("orders-\($0)") }))
    broker.disk.failWrites(to: "/data2/")
    let client = broker.connect()
    client.sendProduce("orders", victim, ["x"])
    broker.settle()
    _ = client.take()
    broker.disk.heal()
    client.send(
      .createPartitions(CreatePartitionsRequest(topics: [.init(name: "orders", count: 8)])), version: 3,
      key: .createPartitions)
    broker.settle()
    _ = client.take()
    client.sendProduce("orders", victim, ["x"])
    client.sendProduce("orders", 7, ["x"])
    broker.settle()
    #expect(client.take().map { $0.produced[0].errorCode } == [.kafkaStorageError, .none])
    #expect(try !broker.disk.list("/data").contains("orders-\(victim)"))
  }
}
