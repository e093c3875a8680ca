import KafkaProtocol
import Primitives
import TestSupport
import Testing

@testable import Broker

@Suite struct ReopeningTests {
  /// ENOSPC, EMFILE.
  @Test(arguments: [28, 24]) func aTopicMadeOnAFullDiskIsServedOnceThereIsRoom(errno: Int32) throws {
    let broker = try SimulatedBroker(shards: 2)
    broker.disk.failWrites(to: "orders-", errno: errno)
    try broker.create("orders", partitions: 40)
    let client = broker.connect(to: 0)
    client.sendProduce("orders", 3, ["no"])
    broker.advance(ms: 3000)
    broker.settle()
    #expect(client.take().map { $0.produced[0].errorCode } == [.kafkaStorageError])
    #expect(broker.haltReason == nil)

    broker.disk.heal()
    broker.advance(ms: 6000)
    broker.settle()
    for partition: Int32 in 0..<40 { client.sendProduce("orders", partition, ["yes"]) }
    broker.settle()
    #expect(client.take().map { $0.produced[0].errorCode } == Array(repeating: .none, count: 40))
    #expect(broker.log.all.count { $0.contains("could be opened now") } == 40)
    try broker.crash()
    #expect(try broker.readAll("orders", 3).map(\.value) == ["yes"])
  }

  @Test func groupsAreServedThenToo() throws {
    let broker = try SimulatedBroker(settings: [(name: "offsets.topic.num.partitions", value: "1")])
    try broker.create("orders")
    broker.disk.failWrites(to: "__consumer_offsets-", errno: 28)
    try broker.create("__consumer_offsets")
    let client = broker.connect()
    client.sendCommit("shop", "orders", 0, 7)
    broker.settle()
    #expect(try client.takeOne().commitErrors != [.none])
    broker.disk.heal()
    broker.advance(ms: 3000)
    client.sendCommit("shop", "orders", 0, 7)
    client.sendOffsetFetch("shop", "orders", 0)
    broker.settle()
    let answers = client.take()
    #expect(answers[0].commitErrors == [.none] && answers[1].committedOffsets == [7])
  }

  @Test func aTopicThatWasNeverOpenedCanBeDeletedAndLeavesNothing() throws {
    let broker = try SimulatedBroker()
    broker.disk.failWrites(to: "orders-", errno: 28)
    try broker.create("orders", partitions: 2)
    let client = broker.connect()
    client.sendDelete("orders")
    broker.settle()
    #expect(try client.takeOne().topicErrors == [.none])
    broker.advance(ms: 3000)
    broker.settle()
    #expect(try broker.disk.list(SimulatedBroker.directory).allSatisfy { !$0.hasPrefix("orders") })
    broker.disk.heal()
    broker.advance(ms: 3000)
    #expect(!broker.log.all.contains { $0.contains("could be opened now") })
  }
}
