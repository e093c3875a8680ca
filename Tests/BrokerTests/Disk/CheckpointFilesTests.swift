import KafkaProtocol
import Primitives
import Storage
import TestSupport
import Testing

@testable import Broker

@Suite struct CheckpointFilesTests {
  private func read(_ name: OffsetCheckpoint.Name, _ broker: SimulatedBroker) throws -> [TopicPartition: Offset] {
    try OffsetCheckpoint(name, logDirectory: SimulatedBroker.directory, fileSystem: broker.disk).read()
  }

  @Test func recoveryPointsAreWrittenByTheClock() throws {
    let broker = try SimulatedBroker(
      shards: 2, settings: [(name: "log.flush.offset.checkpoint.interval.ms", value: "5000")])
    try broker.create("orders", partitions: 2)
    let client = broker.connect()
    for partition: Int32 in 0..<2 { client.sendProduce("orders", partition, ["a", "b"]) }
    broker.settle()
    #expect(try read(.recoveryPoint, broker).isEmpty)
    broker.advance(ms: 5100)
    #expect(
      try read(.recoveryPoint, broker) == [
        TopicPartition("orders", 0): Offset(2), TopicPartition("orders", 1): Offset(2),
      ])
  }

  @Test(arguments: [0, 1]) func deletedRecordsAreAnsweredWhenTheStartIsWrittenDown(shard: Int) throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let partition = try broker.partition(of: "orders", on: shard)
    let client = broker.connect()
    for _ in 0..<3 { client.sendProduce("orders", partition, ["x"]) }
    broker.settle()
    _ = client.take()
    broker.diskWorkers.isStalled = true
    client.sendDeleteRecords("orders", partition, before: 2)
    broker.settle()
    #expect(client.take().isEmpty)
    broker.diskWorkers.isStalled = false
    broker.settle()
    #expect(try client.takeOne().deletedBefore == [2])
    #expect(try read(.logStartOffset, broker) == [TopicPartition("orders", partition): Offset(2)])
    try broker.crash()
    let again = broker.connect()
    again.sendFetch("orders", partition, from: 1)
    broker.settle()
    #expect(try again.takeOne().fetched[0].error == .offsetOutOfRange)
  }

  @Test func aNameIsFreeWhenTheFilesHaveForgottenIt() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders")
    let client = broker.connect()
    for _ in 0..<3 { client.sendProduce("orders", 0, ["old"]) }
    client.sendDeleteRecords("orders", 0, before: 3)
    broker.settle()
    broker.diskWorkers.isStalled = true
    _ = client.take()
    client.sendDelete("orders")
    broker.settle()
    #expect(try client.takeOne().topicErrors == [.none])
    client.sendCreate("orders")
    broker.settle()
    #expect(client.take().isEmpty, "the file still says that orders-0 begins at 3")
    broker.diskWorkers.isStalled = false
    broker.settle()
    #expect(try client.takeOne().topicErrors == [.none])
    for _ in 0..<4 { client.sendProduce("orders", 0, ["new"]) }
    broker.settle()
    try broker.crash()
    #expect(try broker.readAll("orders") == (0..<4).map { SeenRecord(offset: $0, value: "new") })
  }

  @Test func whereAFileFindsNoRoomTopicsAreMadeWhenThereIsSome() throws {
    let broker = try SimulatedBroker()
    try broker.create("orders")
    let client = broker.connect()
    for _ in 0..<3 { client.sendProduce("orders", 0, ["old"]) }
    client.sendDeleteRecords("orders", 0, before: 3)
    broker.settle()
    _ = client.take()
    broker.disk.failWrites(to: "log-start-offset-checkpoint", errno: 28)
    client.sendDelete("orders")
    client.sendCreate("orders")
    broker.settle()
    #expect(client.take().map(\.topicErrors) == [[.none], [.kafkaStorageError]])
    #expect(try read(.logStartOffset, broker) == [TopicPartition("orders", 0): Offset(3)])
    broker.disk.heal()
    broker.advance(ms: 6000)
    #expect(try read(.logStartOffset, broker).isEmpty)
    client.sendCreate("orders")
    broker.settle()
    #expect(try client.takeOne().topicErrors == [.none])
  }
}
