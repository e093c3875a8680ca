import KafkaProtocol
import Primitives
import TestSupport
import Testing

@testable import Broker

@Suite struct WriteFailureTests {
  @Test(arguments: [0, 1]) func aFailedWriteIsToldAndTheLogTakesNoMore(shard: Int) throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let partition = try broker.partition(of: "orders", on: shard)
    let other = try broker.partition(of: "orders", on: 1 - shard)
    let client = broker.connect(to: 0)
    client.sendProduce("orders", partition, ["good"])
    broker.settle()
    #expect(client.take().map { $0.produced[0].errorCode } == [.none])

    broker.disk.failWrites(to: "orders-\(partition)/")
    client.sendProduce("orders", partition, ["bad"])
    client.sendProduce("orders", partition, ["bad too"])
    client.sendProduce("orders", other, ["elsewhere"])
    broker.settle()
    let answers = client.take().map { $0.produced[0] }
    #expect(answers[..<2].map(\.errorCode) == [.kafkaStorageError, .kafkaStorageError])
    #expect(answers[..<2].map(\.baseOffset) == [-1, -1])
    // The whole folder is given up: of the other partition only that is acknowledged which was on the disk by then.
    let elsewhere = answers[2].errorCode == .none ? [SeenRecord(offset: 0, value: "elsewhere")] : []
    #expect(broker.haltReason?.contains("no data folder is left") == true)

    broker.disk.heal()
    for number in [partition, other] { client.sendProduce("orders", number, ["still bad"]) }
    broker.settle()
    #expect(client.take().map { $0.produced[0].errorCode } == [.kafkaStorageError, .kafkaStorageError])
    try broker.restart()
    #expect(try broker.readAll("orders", partition) == [SeenRecord(offset: 0, value: "good")])
    #expect(try broker.readAll("orders", other).starts(with: elsewhere))
  }

  @Test func aFullDiskIsToldAndTakesRecordsAgainWhenThereIsRoom() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let client = broker.connect(to: 0)
    client.sendProduce("orders", 0, ["good"])
    broker.settle()
    #expect(client.take().map { $0.produced[0].errorCode } == [.none])
    broker.disk.failWrites(to: "orders-0/", tornByteCount: 30, errno: 28)
    client.sendProduce("orders", 0, ["too much"])
    client.sendProduce("orders", 0, ["far too much"])
    broker.settle()
    #expect(client.take().map { $0.produced[0].errorCode } == [.kafkaStorageError, .kafkaStorageError])
    #expect(broker.haltReason == nil)
    // No produce request to the folder until somebody has looked; reading goes on.
    client.sendProduce("orders", 1, ["not now"])
    broker.settle()
    #expect(client.take().map { $0.produced[0].errorCode } == [.kafkaStorageError])
    #expect(try broker.readAll("orders", 0) == [SeenRecord(offset: 0, value: "good")])

    broker.disk.heal()
    broker.advance(ms: 6000)
    for partition: Int32 in 0..<2 { client.sendProduce("orders", partition, ["again"]) }
    broker.settle()
    #expect(client.take().map { $0.produced[0].errorCode } == [.none, .none])
    #expect(try broker.readAll("orders", 0).map(\.value) == ["good", "again"])
    try broker.crash()
    #expect(try broker.readAll("orders", 0).map(\.value) == ["good", "again"])
  }

  /// Large batches are written with their append and not at the end of the turn: the folder learns of it all the same.
  @Test func aLargeBatchThatFindsNoRoomStopsTheFolderUntilThereIsRoom() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let client = broker.connect(to: 0)
    let large = String(repeating: "v", count: 9000)
    broker.disk.failWrites(to: "orders-0/", tornByteCount: 30, errno: 28)
    client.sendProduce("orders", 0, [large])
    broker.settle()
    client.sendProduce("orders", 1, ["not now"])
    broker.settle()
    #expect(client.take().map { $0.produced[0].errorCode } == [.kafkaStorageError, .kafkaStorageError])
    broker.disk.heal()
    broker.advance(ms: 6000)
    for partition: Int32 in 0..<2 { client.sendProduce("orders", partition, [large]) }
    broker.settle()
    #expect(client.take().map { $0.produced[0].errorCode } == [.none, .none])
  }

  @Test func aLargeBatchWhoseWriteFailsTakesTheFolderWithIt() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let client = broker.connect(to: 0)
    broker.disk.failWrites(to: "orders-0/")
    client.sendProduce("orders", 0, [String(repeating: "v", count: 9000)])
    broker.settle()
    broker.disk.heal()
    let others = [client, broker.connect(to: 1)]
    for client in others { client.sendProduce("orders", 1, ["in the same folder"]) }
    broker.settle()
    let answers = others.flatMap { $0.take() }.map { $0.produced[0].errorCode }
    #expect(answers == [.kafkaStorageError, .kafkaStorageError, .kafkaStorageError], "whichever shard was asked")
    #expect(broker.haltReason?.contains("no data folder is left") == true)
  }

  @Test func aFetchIsNotWokenByWhatWasNotWritten() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let far = try broker.partition(of: "orders", on: 1)
    let consumer = broker.connect(to: 0)
    consumer.sendFetch("orders", far, from: 0, maxWaitMs: 1000)
    broker.settle()
    broker.disk.failWrites(to: "orders-\(far)/", tornByteCount: 40, errno: 28)
    let producer = broker.connect(to: 1)
    producer.sendProduce("orders", far, ["torn"])
    broker.settle()
    #expect(producer.take().map { $0.produced[0].errorCode } == [.kafkaStorageError])
    #expect(consumer.take().isEmpty)
    broker.advance(ms: 1002)
    let fetched = try consumer.takeOne().fetched
    #expect(fetched[0].highWatermark == 0 && fetched[0].records.isEmpty)
  }

  /// The n-th write fails, whichever it is and whatever of it reaches the file: what was acknowledged is there after
  /// the next start, in its place, and nothing else but what was sent.
  @Test(arguments: 0..<12, [Int32(5), 28])
  func whateverWriteFailsNothingAcknowledgedIsLost(writesLeft: Int, errno: Int32) throws {
    for tornByteCount in [0, 1, 60, 61, 100] {
      let broker = try SimulatedBroker(shards: 2)
      try broker.create("orders", partitions: 2)
      let client = broker.connect(to: 0)
      broker.disk.failWrites(to: "orders-", after: writesLeft, tornByteCount: tornByteCount, errno: errno)
      var acknowledged: [Int32: [SeenRecord]] = [:]
      for number in 0..<8 {
        for partition: Int32 in 0..<2 {
          // Large ones are written at once, small ones with their turn.
          let value = "\(number) " + String(repeating: "v", count: number % 3 == 2 ? 9000 : 10)
          client.sendProduce("orders", partition, [value])
          if number % 2 == 0 { client.sendProduce("orders", partition, [value + " twin"]) }
          broker.settle()
          for (answer, value) in zip(client.take(), [value, value + " twin"])
          where answer.produced[0].errorCode == .none {
            acknowledged[partition, default: []].append(SeenRecord(offset: answer.produced[0].baseOffset, value: value))
          }
        }
      }
      broker.disk.heal()
      try broker.restart()
      for partition: Int32 in 0..<2 {
        let seen = try broker.readAll("orders", partition)
        #expect(Set(acknowledged[partition] ?? []).isSubset(of: seen))
        #expect(seen.map(\.offset) == (0..<Int64(seen.count)).map { $0 })
        client.outgoing = []
        let again = broker.connect(to: 1)
        again.sendProduce("orders", partition, ["after"])
        broker.settle()
        #expect(try again.takeOne().produced[0].errorCode == .none, "a new start takes appends again")
      }
    }
  }

  @Test func aStopAfterAFailedWriteIsNotCalledClean() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let client = broker.connect(to: 0)
    broker.disk.failWrites(to: "orders-1/", tornByteCount: 30)
    client.sendProduce("orders", 1, ["torn"])
    broker.settle()
    broker.disk.heal()
    for shard in broker.shards { shard.beginStop() }
    broker.settle()
    let outcomes = broker.shards.map { $0.stop() }
    #expect(outcomes.contains(false))
  }

  @Test func aTopicWhoseLogFailedCanBeDeletedAndMadeAnew() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let client = broker.connect(to: 0)
    for partition: Int32 in 0..<2 { client.sendProduce("orders", partition, ["good"]) }
    broker.settle()
    broker.disk.failWrites(to: "orders-", errno: 28)
    for partition: Int32 in 0..<2 { client.sendProduce("orders", partition, ["bad"]) }
    broker.settle()
    broker.disk.heal()
    _ = client.take()
    client.sendDelete("orders")
    broker.settle()
    #expect(try client.takeOne().topicErrors == [.none])
    broker.advance(ms: 1000)
    #expect(try broker.disk.list(SimulatedBroker.directory).filter { $0.hasPrefix("orders") }.isEmpty)
    client.sendCreate("orders", partitions: 2)
    for partition: Int32 in 0..<2 { client.sendProduce("orders", partition, ["anew"]) }
    broker.settle()
    #expect(client.take().dropFirst().map { $0.produced[0].baseOffset } == [0, 0])
  }

  @Test func aTopicIsNotMadeWhereTheMetadataCannotBeWritten() throws {
    let broker = try SimulatedBroker(shards: 2)
    broker.disk.failWrites(to: "cluster-metadata", tornByteCount: 10)
    let client = broker.connect(to: 1)
    client.sendCreate("orders")
    broker.settle()
    #expect(try client.takeOne().topicErrors == [.kafkaStorageError])
    broker.disk.heal()
    client.sendCreate("orders")
    broker.settle()
    #expect(try client.takeOne().topicErrors == [.none])
    try broker.crash()
    #expect(try broker.readAll("orders").isEmpty)
  }

  @Test func aPartitionThatCannotBeOpenedIsOffline() throws {
    let broker = try SimulatedBroker(shards: 2)
    broker.disk.failWrites(to: "/data/orders-0/")
    try broker.create("orders", partitions: 2)
    broker.disk.heal()
    let client = broker.connect(to: 0)
    for partition: Int32 in 0..<2 { client.sendProduce("orders", partition, ["x"]) }
    client.sendFetch([("orders", 0, 0)])
    broker.settle()
    let answers = client.take()
    #expect(answers[0].produced[0].errorCode == .kafkaStorageError)
    #expect(answers[1].produced[0].errorCode == .none)
    #expect(answers[2].fetched[0].error != .none)
  }
}
