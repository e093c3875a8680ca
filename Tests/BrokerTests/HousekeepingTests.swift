import KafkaProtocol
import Primitives
import TestSupport
import Testing

@testable import Broker

@Suite struct HousekeepingTests {
  private func alter(_ broker: SimulatedBroker, _ topic: String, _ name: String, _ value: String) throws {
    let client = broker.connect(to: broker.shardCount - 1)
    client.send(
      .incrementalAlterConfigs(
        IncrementalAlterConfigsRequest(resources: [
          .init(resourceType: 2, resourceName: topic, configs: [.init(name: name, value: value)])
        ])), version: 1, key: .incrementalAlterConfigs)
    broker.settle()
    guard case .incrementalAlterConfigs(let body) = try client.takeOne().response else { return }
    try #require(body.responses.map(\.errorCode) == [.none], "\(body)")
    broker.disconnect(client)
  }

  @Test func retentionRemovesOldSegmentsOnEveryShard() throws {
    let broker = try SimulatedBroker(
      shards: 2,
      settings: [
        (name: "log.segment.bytes", value: "2000"), (name: "log.retention.check.interval.ms", value: "60000"),
        (name: "log.segment.delete.delay.ms", value: "60000"),
      ])
    try broker.create("orders", partitions: 2)
    try alter(broker, "orders", "retention.bytes", "5000")
    let client = broker.connect()
    for partition: Int32 in 0..<2 {
      for number in 0..<20 {
        client.sendProduce("orders", partition, ["\(number) " + String(repeating: "r", count: 900)])
      }
    }
    broker.settle()
    #expect(client.take().count == 40)
    let names = {
      try broker.disk.list("/data/orders-1").filter { $0.hasSuffix(".log") || $0.hasSuffix(".log.deleted") }
    }
    let before = try names().count
    broker.advance(ms: 61_000)
    for partition: Int32 in 0..<2 {
      client.sendFetch("orders", partition, from: 0)
      client.sendFetch("orders", partition, from: 19)
    }
    broker.settle()
    #expect(client.take().map { $0.fetched[0].error } == [.offsetOutOfRange, .none, .offsetOutOfRange, .none])
    #expect(try names().contains { $0.hasSuffix(".deleted") }, "readers may still be at the files")
    broker.advance(ms: 120_000)
    #expect(try names().count < before && !names().contains { $0.hasSuffix(".deleted") })
  }

  @Test func aChangedConfigHoldsOnEveryShardWhenItIsAnswered() throws {
    let broker = try SimulatedBroker(shards: 3)
    try broker.create("orders", partitions: 3)
    try alter(broker, "orders", "max.message.bytes", "500")
    let client = broker.connect()
    for partition: Int32 in 0..<3 { client.sendProduce("orders", partition, [String(repeating: "m", count: 600)]) }
    broker.settle()
    #expect(client.take().map { $0.produced[0].errorCode } == Array(repeating: .messageTooLarge, count: 3))
    try broker.restart()
    let again = broker.connect()
    again.sendProduce("orders", 1, [String(repeating: "m", count: 600)])
    broker.settle()
    #expect(try again.takeOne().produced[0].errorCode == .messageTooLarge)
  }

  @Test(arguments: [Int16(3), 5, 7, 8, 9, 10, 11, 12]) func everyProduceVersionIsKept(version: Int16) throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let client = broker.connect()
    let topic = ProduceRequest.TopicProduceData(
      name: "orders", partitionData: (0..<2).map { .init(index: $0, records: .bytes(batch(["v"]))) })
    client.send(.produce(ProduceRequest(acks: 1, topicData: [topic])), version: version, key: .produce)
    broker.settle()
    #expect(try client.takeOne().produced.map(\.errorCode) == [.none, .none])
  }

  @Test(arguments: Array(Int16(4)...17)) func everyFetchVersionIsKept(version: Int16) throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let client = broker.connect()
    for partition: Int32 in 0..<2 { client.sendProduce("orders", partition, ["v"]) }
    broker.settle()
    _ = client.take()
    let id = try #require(broker.shards[0].topicsByName["orders"]?.id)
    func fetch(_ id: UUID) throws -> Answer {
      let topic = FetchRequest.FetchTopic(
        topic: version < 13 ? "orders" : "", topicId: version < 13 ? .zero : id,
        partitions: (0..<2).map { .init(partition: $0, fetchOffset: 0, partitionMaxBytes: 1000) })
      client.send(.fetch(FetchRequest(minBytes: 1, topics: [topic])), version: version, key: .fetch)
      broker.settle()
      return try client.takeOne()
    }
    #expect(try fetch(id).fetched.map { $0.records.map(\.value) } == [["v"], ["v"]])
    if version >= 13 {
      #expect(try fetch(UUID(high: 7, low: 7)).fetched.map(\.error) == [.unknownTopicId, .unknownTopicId])
    }
  }
}
