import KafkaProtocol
import Primitives
import Testing

@testable import Broker

@Suite struct RoundTripTests {
  @Test func apiVersionsTellsWhatIsServed() throws {
    let broker = try SimulatedBroker()
    let client = broker.connect()
    for version: Int16 in 0...4 {
      client.send(
        .apiVersions(ApiVersionsRequest(clientSoftwareName: "lib", clientSoftwareVersion: "1.2.3")), version: version,
        key: .apiVersions)
    }
    broker.settle()
    for answer in client.take() {
      guard case .apiVersions(let body) = answer.response else { throw Unexpected(answer) }
      #expect(body.errorCode == .none)
      #expect(body.apiKeys.map(\.apiKey) == ServedVersions.advertised.map(\.key.rawValue))
      #expect(body.apiKeys.first?.minVersion == 0, "produce is told from 0 for older librdkafka")
    }
  }

  @Test func apiVersionsOfAnUnknownVersionIsAnsweredInVersion0() throws {
    let broker = try SimulatedBroker()
    let client = broker.connect()
    client.expect(.apiVersions, 0)
    // Version 99, and a body that nobody can read.
    client.outgoing += [0, 0, 0, 12, 0, 18, 0, 99, 0, 0, 0, 100, 0xde, 0xad, 0xbe, 0xef]
    broker.settle()
    guard case .apiVersions(let body) = try client.takeOne().response else { return }
    #expect(body.errorCode == .unsupportedVersion)
    #expect(!body.apiKeys.isEmpty)
    #expect(!client.isClosed)
  }

  @Test func apiVersionsWithABadSoftwareNameIsRefused() throws {
    let broker = try SimulatedBroker()
    let client = broker.connect()
    client.send(
      .apiVersions(ApiVersionsRequest(clientSoftwareName: "no spaces", clientSoftwareVersion: "1")), version: 3,
      key: .apiVersions)
    broker.settle()
    guard case .apiVersions(let body) = try client.takeOne().response else { return }
    #expect(body.errorCode == .invalidRequest)
  }

  @Test(arguments: [1, 2, 3]) func whatIsProducedIsFetched(shards: Int) throws {
    let broker = try SimulatedBroker(shards: shards)
    try broker.create("orders", partitions: 3)
    for shard in 0..<shards {
      let client = broker.connect(to: shard)
      for partition: Int32 in 0..<3 {
        client.sendProduce("orders", partition, ["a\(shard)", "b\(shard)"])
        broker.settle()
        let produced = try #require(try client.takeOne().produced.first)
        #expect(produced.errorCode == .none)
        #expect(produced.baseOffset == Int64(2 * shard))
        client.sendFetch("orders", partition, from: Int64(2 * shard))
        broker.settle()
        let fetched = try #require(try client.takeOne().fetched.first)
        #expect(fetched.highWatermark == Int64(2 * shard + 2))
        let expected = [
          SeenRecord(offset: Int64(2 * shard), value: "a\(shard)"),
          SeenRecord(offset: Int64(2 * shard + 1), value: "b\(shard)"),
        ]
        #expect(fetched.records == expected)
      }
    }
  }

  @Test func oneRequestReachesPartitionsOfAllShards() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 4)
    let client = broker.connect(to: 1)
    client.sendProduce((0..<4).map { ("orders", $0, batch(["value \($0)"])) } + [("none", 0, batch(["lost"]))])
    client.sendFetch((0..<4).map { ("orders", $0, 0) } + [("none", 0, 0)])
    broker.settle()
    let answers = client.take()
    #expect(answers[0].produced.map(\.errorCode) == [.none, .none, .none, .none, .unknownTopicOrPartition])
    #expect(answers[0].produced.map(\.index) == [0, 1, 2, 3, 0])
    #expect(
      answers[1].fetched.map { $0.records.map(\.value) } == [["value 0"], ["value 1"], ["value 2"], ["value 3"], []])
    #expect(answers[1].fetched.last?.error == .unknownTopicOrPartition)
  }

  @Test func largeRecordsGoFromTheFile() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let client = broker.connect()
    let value = String(repeating: "x", count: 200_000)
    for partition: Int32 in 0..<2 { client.sendProduce("orders", partition, [value, "small"]) }
    client.sendFetch([("orders", 0, 0), ("orders", 1, 0)])
    broker.settle()
    let fetched = try #require(client.take().last).fetched
    #expect(fetched.map { $0.records.map(\.value) } == [[value, "small"], [value, "small"]])
  }

  @Test func acks0IsNotAnsweredAndItsFailureClosesTheConnection() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let client = broker.connect()
    for partition: Int32 in 0..<2 {
      client.sendProduce("orders", partition, ["quiet"], acks: 0)
      client.sendProduce("orders", partition, ["loud"])
    }
    broker.settle()
    #expect(client.take().map { $0.produced[0].baseOffset } == [1, 1])
    #expect(try broker.readAll("orders", 0).map(\.value) == ["quiet", "loud"])
    #expect(try broker.readAll("orders", 1).map(\.value) == ["quiet", "loud"])

    client.sendProduce("nowhere", 0, ["lost"], acks: 0)
    client.sendApiVersions()
    broker.settle()
    #expect(client.isClosed)
    #expect(client.answers.count == 2)
  }

  @Test(arguments: [Int16(2), -2]) func otherAcksAreRefused(acks: Int16) throws {
    let broker = try SimulatedBroker()
    try broker.create("orders")
    let client = broker.connect()
    client.sendProduce("orders", 0, ["never"], acks: acks)
    broker.settle()
    #expect(try client.takeOne().produced.map(\.errorCode) == [.invalidRequiredAcks])
    #expect(try broker.readAll("orders").isEmpty)
  }

  @Test func aDamagedBatchIsRefusedAndLeavesNothing() throws {
    let broker = try SimulatedBroker()
    try broker.create("orders")
    let client = broker.connect()
    var damaged = batch(["never"])
    damaged[damaged.count - 1] ^= 0xff
    client.sendProduce([("orders", 0, damaged)])
    client.sendProduce([("orders", 0, [])])
    client.sendProduce("orders", 0, ["good"])
    broker.settle()
    let errors = client.take().map { $0.produced[0].errorCode }
    #expect(errors[0] == .corruptMessage)
    #expect(errors[1] != .none)
    #expect(errors[2] == .none)
    #expect(try broker.readAll("orders") == [SeenRecord(offset: 0, value: "good")])
  }

  @Test func anIdempotentProducerIsStoredOnce() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let client = broker.connect()
    for partition: Int32 in 0..<2 {
      // Twice in the same turn, once after it was written.
      client.sendProduce([("orders", partition, batch(["once"], producerID: 7, sequence: 0))])
      client.sendProduce([("orders", partition, batch(["once"], producerID: 7, sequence: 0))])
      broker.settle()
      client.sendProduce([("orders", partition, batch(["once"], producerID: 7, sequence: 0))])
      broker.settle()
      #expect(client.take().map { $0.produced[0].errorCode } == [.none, .none, .none])
      #expect(try broker.readAll("orders", partition) == [SeenRecord(offset: 0, value: "once")])
    }
  }
}

/// An answer of another kind than was asked for.
struct Unexpected: Error {
  let answer: Answer
  init(_ answer: Answer) { self.answer = answer }
}
