import Cluster
import KafkaProtocol
import Primitives
import TestSupport
import Testing

@testable import Broker

@Suite struct RestartTests {
  @Test(arguments: [true, false]) func topicsRecordsAndOffsetsOutliveTheProcess(isClean: Bool) throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 4)
    for round in 0..<3 {
      let client = broker.connect(to: round % 2)
      for partition: Int32 in 0..<4 { client.sendProduce("orders", partition, ["\(round)"]) }
      broker.settle()
      #expect(client.take().map { $0.produced[0].baseOffset } == Array(repeating: Int64(round), count: 4))
      if isClean { try broker.restart() } else { try broker.crash() }
      for partition: Int32 in 0..<4 {
        #expect(try broker.readAll("orders", partition).map(\.value) == (0...round).map { "\($0)" })
      }
    }
  }

  @Test func consumersNoticeThatAProcessWasLost() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders")
    let epoch = { try #require(broker.shards[1].image.topic(named: "orders")).partitions[0].leaderEpoch.value }
    let before = try epoch()
    try broker.restart()
    #expect(try epoch() == before)
    try broker.crash()
    #expect(try epoch() == before + 1)
  }

  @Test func whatWasNotWrittenWasNotAcknowledged() throws {
    let broker = try SimulatedBroker()
    try broker.create("orders")
    let client = broker.connect()
    client.sendProduce("orders", 0, ["lost"])
    let bytes = client.outgoing
    client.outgoing = []
    // Received, its turn not ended.
    bytes.withUnsafeBytes { broker.shards[0].received(client.id, $0) }
    #expect(client.answers.isEmpty)
    try broker.crash()
    #expect(try broker.readAll("orders").isEmpty)
  }

  @Test func anIdempotentProducerIsKnownAfterARestart() throws {
    for isClean in [true, false] {
      let broker = try SimulatedBroker()
      try broker.create("orders")
      for _ in 0..<3 {
        let client = broker.connect()
        client.sendProduce([("orders", 0, batch(["once"], producerID: 9, sequence: 0))])
        broker.settle()
        #expect(try client.takeOne().produced.map(\.errorCode) == [.none])
        if isClean { try broker.restart() } else { try broker.crash() }
      }
      #expect(try broker.readAll("orders").map(\.value) == ["once"])
    }
  }

  @Test(arguments: [0, 1]) func deletedRecordsStayDeleted(shard: Int) throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let partition = try broker.partition(of: "orders", on: shard)
    let client = broker.connect(to: 0)
    for number in 0..<5 { client.sendProduce("orders", partition, ["\(number)"]) }
    client.sendDeleteRecords("orders", partition, before: 3)
    broker.settle()
    #expect(client.take().last?.deletedBefore == [3])
    try broker.crash()
    let again = broker.connect(to: 1)
    again.sendFetch("orders", partition, from: 2)
    again.sendFetch("orders", partition, from: 3)
    broker.settle()
    let answers = again.take()
    #expect(answers[0].fetched[0].error == .offsetOutOfRange)
    #expect(answers[1].fetched[0].records.map(\.value) == ["3", "4"])
  }

  @Test(arguments: [true, false]) func partitionsStayInTheirFolders(isClean: Bool) throws {
    let broker = try SimulatedBroker(shards: 2, settings: [(name: "log.dirs", value: "/data,/more,/most")])
    try broker.create("orders", partitions: 12)
    let folders = {
      try ["/data", "/more", "/most"].map { try broker.disk.list($0).filter { $0.hasPrefix("orders-") } }
    }
    let before = try folders()
    #expect(before.allSatisfy { !$0.isEmpty } && before.reduce(0) { $0 + $1.count } == 12)
    let client = broker.connect()
    for partition: Int32 in 0..<12 {
      for number in 0..<3 { client.sendProduce("orders", partition, ["\(number)"]) }
      client.sendDeleteRecords("orders", partition, before: Int64(partition % 3))
    }
    broker.settle()
    if isClean { try broker.restart() } else { try broker.crash() }
    #expect(try folders() == before)
    let again = broker.connect(to: 1)
    for partition: Int32 in 0..<12 {
      again.sendFetch("orders", partition, from: Int64(partition % 3))
      again.sendFetch("orders", partition, from: Int64(partition % 3) - 1)
    }
    broker.settle()
    let answers = again.take()
    for partition in 0..<12 {
      #expect(answers[2 * partition].fetched[0].error == .none)
      #expect(answers[2 * partition + 1].fetched[0].error == .offsetOutOfRange)
    }
  }

  /// A topic of the same name is another topic: the records that were deleted from the first are no concern of it.
  @Test(arguments: [true, false], [0, 1]) func aTopicMadeAnewStartsAtZeroForGood(
    restartsBetween: Bool, shard: Int
  ) throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 4)
    let client = broker.connect(to: 0)
    for partition: Int32 in 0..<4 {
      for number in 0..<5 { client.sendProduce("orders", partition, ["\(number)"]) }
      client.sendDeleteRecords("orders", partition, before: 5)
    }
    broker.settle()
    if restartsBetween { try broker.restart() }
    let other = broker.connect(to: shard)
    other.sendDelete("orders")
    other.sendCreate("orders", partitions: 4)
    for partition: Int32 in 0..<4 { other.sendProduce("orders", partition, ["new"]) }
    broker.settle()
    #expect(other.take().suffix(4).map { $0.produced[0].baseOffset } == [0, 0, 0, 0])
    try broker.restart()
    for partition: Int32 in 0..<4 {
      #expect(try broker.readAll("orders", partition) == [SeenRecord(offset: 0, value: "new")])
    }
  }
}

extension SimulatedClient {
  func sendDeleteRecords(_ topic: String, _ partition: Int32, before offset: Int64) {
    send(
      .deleteRecords(
        DeleteRecordsRequest(
          topics: [.init(name: topic, partitions: [.init(partitionIndex: partition, offset: offset)])],
          timeoutMs: 1000)),
      version: 2, key: .deleteRecords)
  }
}

extension Answer {
  /// The low watermark of each partition of a delete-records answer.
  var deletedBefore: [Int64] {
    guard case .deleteRecords(let body) = response else { return [] }
    return body.topics.flatMap(\.partitions).map(\.lowWatermark)
  }
}
