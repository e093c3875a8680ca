import KafkaProtocol
import Primitives
import TestSupport
import Testing

@testable import Broker

/// Whatever a client sends, the others are served as before.
@Suite struct HostileRequestTests {
  /// A broker with a topic, a group and a record on it.
  private func populated(shards: Int, seed: UInt64) throws -> SimulatedBroker {
    let broker = try SimulatedBroker(
      shards: shards, seed: seed,
      settings: [
        (name: "socket.request.max.bytes", value: "100000"), (name: "queued.max.request.bytes", value: "1000000"),
        (name: "ottla.partitions.max", value: "200"), (name: "ottla.topic.partitions.max", value: "50"),
      ])
    try broker.create("orders", partitions: 3)
    let client = broker.connect()
    client.send(.findCoordinator(FindCoordinatorRequest(coordinatorKeys: ["g"])), version: 4, key: .findCoordinator)
    broker.settle()
    client.sendCommit("g", "orders", 0, 1)
    client.sendProduce("orders", 0, ["kept"])
    broker.settle()
    try #require(client.take().count == 3)
    return broker
  }

  private func checkServes(_ broker: SimulatedBroker) throws {
    for shard in 0..<broker.shardCount {
      let client = broker.connect(to: shard)
      client.sendApiVersions()
      client.sendProduce("orders", 1, ["more"])
      broker.settle()
      #expect(client.take().count == 2)
      broker.disconnect(client)
    }
    #expect(try broker.readAll("orders", 0).first == SeenRecord(offset: 0, value: "kept"))
    for shard in broker.shards { #expect(shard.requestBytesHeld == 0) }
  }

  private func header(_ key: APIKey, _ version: Int16) -> [UInt8] {
    let buffer = OutputBuffer()
    var writer = Writer(buffer)
    RequestHeader(requestApiKey: key.rawValue, requestApiVersion: version, correlationId: 1, clientId: nil)
      .encode(into: &writer, version: key.requestHeaderVersion(for: version))
    return Array(buffer.bytes)
  }

  private func framed(_ body: [UInt8]) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: body.count >> (24 - 8 * $0)) } + body
  }

  /// Sends a frame on a connection of its own, without looking at what comes back.
  private func throwAt(_ broker: SimulatedBroker, _ frame: [UInt8]) {
    let client = broker.connect(to: broker.random.below(broker.shardCount))
    client.ignoresAnswers = true
    client.outgoing = frame
    broker.settle()
    broker.disconnect(client)
  }

  @Test(arguments: UInt64(1)...6) func bodiesOfAnyBytes(seed: UInt64) throws {
    let broker = try populated(shards: 1 + Int(seed % 2), seed: seed)
    let random = broker.random
    for (key, _, highest) in ServedVersions.advertised {
      guard let range = ServedVersions.range(key) else { continue }
      for version in range {
        for _ in 0..<6 {
          // Mostly small numbers: they are believed further.
          let body = (0..<random.below(60)).map { _ in
            random.chance(oneIn: 3) ? UInt8(truncatingIfNeeded: random.next()) : UInt8(random.below(4))
          }
          throwAt(broker, framed(header(key, version) + body))
        }
      }
      #expect(highest == range.upperBound)
    }
    try checkServes(broker)
  }

  /// Requests as clients send them, with some bytes changed, some left out, some put in.
  @Test(arguments: UInt64(1)...6) func requestsWithBytesChanged(seed: UInt64) throws {
    let broker = try populated(shards: 1 + Int(seed % 2), seed: seed)
    let random = broker.random
    for request in samples(broker) {
      for _ in 0..<60 {
        var frame = Array(request[4...])
        for _ in 0...random.below(3) where frame.count > 12 {
          let place = 4 + random.below(frame.count - 4)
          switch random.below(4) {
          case 0: frame[place] = UInt8(truncatingIfNeeded: random.next())
          case 1: frame[place] = [0, 1, 0x7f, 0x80, 0xff][random.below(5)]
          case 2: frame.remove(at: place)
          default: frame.insert(0xff, at: place)
          }
        }
        throwAt(broker, framed(frame))
      }
    }
    broker.advance(ms: 3000)
    try checkServes(broker)
  }

  /// Requests of many kinds with values that nobody should send.
  @Test(arguments: [1, 2]) func valuesAtTheEnds(shards: Int) throws {
    let broker = try populated(shards: shards, seed: 3)
    let client = broker.connect()
    let numbers: [Int64] = [.min, -2, -1, 0, 1, .max]
    for number in numbers {
      let small = Int32(truncatingIfNeeded: number)
      client.sendFetch(
        [("orders", small, number), ("orders", 0, number)], maxWaitMs: min(small, 5), minBytes: small, maxBytes: small)
      client.sendDeleteRecords("orders", 2, before: number)
      client.sendCommit("g", "orders", small, number)
      client.sendCreate("made\(number &+ 3)", partitions: small)
      client.send(
        .listOffsets(
          ListOffsetsRequest(topics: [
            .init(
              name: "orders", partitions: [.init(partitionIndex: small, timestamp: number), .init(timestamp: number)])
          ])), version: 7, key: .listOffsets)
      client.send(
        .offsetForLeaderEpoch(
          OffsetForLeaderEpochRequest(topics: [
            .init(topic: "orders", partitions: [.init(partition: 0, currentLeaderEpoch: small, leaderEpoch: small)])
          ])), version: 4, key: .offsetForLeaderEpoch)
      client.send(
        .createPartitions(CreatePartitionsRequest(topics: [.init(name: "orders", count: min(small, 10))])), version: 3,
        key: .createPartitions)
      client.send(
        .joinGroup(
          JoinGroupRequest(
            groupId: "h\(number)", sessionTimeoutMs: small, rebalanceTimeoutMs: small, protocolType: "consumer",
            protocols: [.init(name: "range", metadata: [])])), version: 3, key: .joinGroup)
      client.send(
        .describeTopicPartitions(
          DescribeTopicPartitionsRequest(
            responsePartitionLimit: small, cursor: .init(topicName: "orders", partitionIndex: small))), version: 0,
        key: .describeTopicPartitions)
      broker.settle()
      broker.advance(ms: 20)
    }
    broker.advance(ms: 3000)
    #expect(client.waitingCount == 0 && !client.isClosed)
    try checkServes(broker)
  }

  private func samples(_ broker: SimulatedBroker) -> [[UInt8]] {
    let client = broker.connect()
    var frames: [[UInt8]] = []
    func add(_ send: (SimulatedClient) -> Void) {
      send(client)
      frames.append(client.outgoing)
      client.outgoing = []
    }
    add {
      $0.sendProduce([("orders", 1, batch(["a", "b"])), ("orders", 2, batch(["c"], producerID: 5, sequence: 0))])
    }
    add { $0.sendProduce("orders", 1, ["a"]) }
    add { $0.sendFetch([("orders", 0, 0), ("orders", 1, 0)], maxWaitMs: 3) }
    add { $0.sendCreate("new", partitions: 2) }
    add { $0.sendCommit("g", "orders", 0, 3) }
    add { $0.sendOffsetFetch("g", "orders", 0) }
    add { $0.sendApiVersions() }
    add { $0.send(.metadata(MetadataRequest(topics: [.init(name: "orders")])), version: 12, key: .metadata) }
    add {
      $0.send(
        .joinGroup(
          JoinGroupRequest(
            groupId: "g", sessionTimeoutMs: 6000, rebalanceTimeoutMs: 6000, protocolType: "consumer",
            protocols: [.init(name: "range", metadata: [1, 2, 3])])), version: 7, key: .joinGroup)
    }
    add {
      $0.send(
        .incrementalAlterConfigs(
          IncrementalAlterConfigsRequest(resources: [
            .init(resourceType: 2, resourceName: "orders", configs: [.init(name: "retention.ms", value: "1000000")])
          ])), version: 1, key: .incrementalAlterConfigs)
    }
    add {
      $0.send(
        .describeConfigs(DescribeConfigsRequest(resources: [.init(resourceType: 2, resourceName: "orders")])),
        version: 4, key: .describeConfigs)
    }
    broker.disconnect(client)
    return frames
  }
}
