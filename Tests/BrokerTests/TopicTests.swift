import Cluster
import KafkaProtocol
import Primitives
import TestSupport
import Testing

@testable import Broker

@Suite struct TopicTests {
  @Test(arguments: [0, 1, 2]) func aTopicIsThereOnAllShardsWhenItsCreationIsAnswered(shard: Int) throws {
    let broker = try SimulatedBroker(shards: 3)
    let client = broker.connect(to: shard)
    client.sendCreate("orders", partitions: 6)
    var turns = 0
    while client.answers.isEmpty, turns < 100 {
      broker.stepRandomly()
      turns += 1
    }
    let answer = try client.takeOne()
    #expect(answer.topicErrors == [.none])
    for shard in broker.shards {
      #expect(shard.image.topic(named: "orders")?.partitions.count == 6)
      #expect(shard.topicsByName["orders"]?.places.count == 6)
    }
    #expect(broker.shards.map { $0.hostedPartitions.count } == [2, 2, 2])
  }

  @Test func aCreationWaitsForTheSlowestShard() throws {
    let broker = try SimulatedBroker(shards: 3)
    let client = broker.connect(to: 0)
    client.sendCreate("orders")
    for _ in 0..<5 {
      broker.turn(0)
      broker.turn(1)
    }
    #expect(client.take().isEmpty)
    broker.turn(2)
    #expect(client.take().isEmpty)
    broker.turn(0)
    #expect(client.take().count == 1)
  }

  @Test func aTopicExistsOnce() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders")
    let client = broker.connect(to: 1)
    client.sendCreate("orders")
    client.sendCreate("bad name")
    client.sendDelete("none")
    broker.settle()
    #expect(
      client.take().map(\.topicErrors) == [[.topicAlreadyExists], [.invalidTopicException], [.unknownTopicOrPartition]])
  }

  @Test(arguments: [1, 2]) func aTopicMadeAnewIsEmpty(shards: Int) throws {
    let broker = try SimulatedBroker(shards: shards)
    try broker.create("orders", partitions: 2)
    let client = broker.connect(to: shards - 1)
    for partition: Int32 in 0..<2 { client.sendProduce("orders", partition, ["old", "older"]) }
    client.sendDelete("orders")
    client.sendProduce("orders", 0, ["too late"])
    client.sendCreate("orders", partitions: 2)
    for partition: Int32 in 0..<2 { client.sendProduce("orders", partition, ["new"]) }
    broker.settle()
    let answers = client.take()
    #expect(answers[3].produced.map(\.errorCode) == [.unknownTopicOrPartition])
    #expect(answers[5].produced.map(\.baseOffset) == [0])
    for partition: Int32 in 0..<2 {
      #expect(try broker.readAll("orders", partition) == [SeenRecord(offset: 0, value: "new")])
    }
    try broker.restart()
    for partition: Int32 in 0..<2 {
      #expect(try broker.readAll("orders", partition) == [SeenRecord(offset: 0, value: "new")])
    }
    broker.advance(ms: 2000)
    #expect(try broker.disk.list(SimulatedBroker.directory).filter { $0.hasSuffix("-delete") }.isEmpty)
  }

  /// While one shard still has the deleted topic's logs open, no other may begin new ones in the same folders.
  @Test(arguments: UInt64(1)...10) func aNameIsFreeWhenAllShardsHaveLetGoOfIt(seed: UInt64) throws {
    let broker = try SimulatedBroker(shards: 3, seed: seed)
    try broker.create("orders", partitions: 6)
    let admin = broker.connect(to: 0)
    let producer = broker.connect(to: 0)
    for partition: Int32 in 0..<6 { producer.sendProduce("orders", partition, ["old"]) }
    broker.settle()
    _ = producer.take()
    admin.sendDelete("orders")
    producer.sendCreate("orders", partitions: 6)
    for partition: Int32 in 0..<6 { producer.sendProduce("orders", partition, ["new"]) }
    // The controller's shard is far ahead of the others.
    for _ in 0..<3 { broker.turn(0) }
    broker.settleRandomly()
    #expect(try admin.takeOne().topicErrors == [.none])
    let answers = producer.take()
    #expect(answers[0].topicErrors == [.none])
    #expect(answers.dropFirst().map { $0.produced[0].errorCode } == Array(repeating: .none, count: 6))
    try broker.restart()
    for partition: Int32 in 0..<6 {
      #expect(try broker.readAll("orders", partition) == [SeenRecord(offset: 0, value: "new")])
    }
  }

  @Test func partitionsAreAddedWithoutDisturbingTheOthers() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let client = broker.connect(to: 1)
    for partition: Int32 in 0..<2 { client.sendProduce("orders", partition, ["kept"]) }
    client.send(
      .createPartitions(CreatePartitionsRequest(topics: [.init(name: "orders", count: 4)])), version: 3,
      key: .createPartitions)
    for partition: Int32 in 0..<4 { client.sendProduce("orders", partition, ["more"]) }
    broker.settle()
    let answers = client.take()
    #expect(answers.suffix(4).map { $0.produced[0].baseOffset } == [1, 1, 0, 0])
    #expect(try broker.readAll("orders", 0).map(\.value) == ["kept", "more"])
  }

  @Test func metadataTellsTheAddressThatTheClientDialled() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let client = broker.connect(to: 1)
    client.send(.metadata(MetadataRequest(topics: nil)), version: 9, key: .metadata)
    broker.settle()
    guard case .metadata(let body) = try client.takeOne().response else { return }
    #expect(body.brokers.map(\.host) == ["127.0.0.1"] && body.brokers.map(\.port) == [9092])
    #expect(body.topics.map(\.name) == ["orders"])
    #expect(body.topics[0].partitions.map(\.leaderId) == [1, 1])
  }

  @Test func metadataMakesTopicsWhereThatIsAllowed() throws {
    let broker = try SimulatedBroker(shards: 2, settings: [(name: "auto.create.topics.enable", value: "true")])
    let client = broker.connect(to: 1)
    client.send(
      .metadata(MetadataRequest(topics: [.init(name: "a"), .init(name: "no good name"), .init(name: "a")])),
      version: 9, key: .metadata)
    client.sendProduce("a", 0, ["at once"])
    broker.settle()
    let answers = client.take()
    guard case .metadata(let body) = answers[0].response else { return }
    #expect(body.topics.map(\.errorCode) == [.none, .invalidTopicException], "each topic once")
    #expect(answers[1].produced.map(\.errorCode) == [.none])
  }

  @Test func producerIDsAreNeverGivenTwice() throws {
    let broker = try SimulatedBroker(shards: 2)
    var seen = Set<Int64>()
    for _ in 0..<3 {
      let clients = (0..<2).map { broker.connect(to: $0) }
      for client in clients {
        for _ in 0..<5 { client.send(.initProducerId(InitProducerIdRequest()), version: 4, key: .initProducerId) }
      }
      broker.settle()
      for answer in clients.flatMap({ $0.take() }) {
        guard case .initProducerId(let body) = answer.response else { continue }
        #expect(body.errorCode == .none && seen.insert(body.producerId).inserted)
      }
      try broker.crash()
    }
    #expect(seen.count == 30)
  }

  /// Up to version 5 topics come as names alone: an answer to a failure tells of each, too.
  @Test func aDeletionThatNoControllerTakesIsToldByTopic() throws {
    let cluster = try SimulatedCluster(brokers: 2)
    cluster.introduce()
    let broker = cluster[BrokerID(2)]
    let client = broker.connect()
    broker.shards[0].controllerHost?.isElected = false
    client.send(
      .deleteTopics(DeleteTopicsRequest(topicNames: ["a", "b"], timeoutMs: 1000)), version: 4, key: .deleteTopics)
    cluster.advance(ms: 2000)
    guard case .deleteTopics(let body) = try client.takeOne().response else { return }
    #expect(body.responses.map(\.name) == ["a", "b"])
    #expect(body.responses.allSatisfy { $0.errorCode == .notController })
  }
}
