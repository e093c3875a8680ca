import Cluster
import KafkaProtocol
import Primitives
import Records
import Testing

@testable import Broker

/// A record as a consumer sees it.
struct SeenRecord: Hashable, CustomStringConvertible {
  let offset: Int64
  let value: String
  var description: String { "\(offset):\(value)" }
}

/// A batch of records without keys, as a producer sends it.
func batch(_ values: [String], producerID: Int64 = -1, sequence: Int32 = -1) -> [UInt8] {
  var builder = RecordBatchBuilder(
    producerID: ProducerID(producerID), producerEpoch: ProducerEpoch(producerID < 0 ? -1 : 0), baseSequence: sequence)
  for value in values {
    builder.append(key: nil, value: Array(value.utf8), timestamp: Timestamp(milliseconds: 1_700_000_000_000))
  }
  return builder.build()
}

/// The records of a fetched field, whole batches only.
func records(in bytes: [UInt8]) -> [SeenRecord] {
  var seen: [SeenRecord] = []
  bytes.withUnsafeBytes { bytes in
    var position = 0
    while let header = RecordBatchHeader(reading: UnsafeRawBufferPointer(rebasing: bytes[position...])),
      header.totalByteCount <= bytes.count - position
    {
      let batch = UnsafeRawBufferPointer(rebasing: bytes[position..<position + header.totalByteCount])
      do {
        try forEachRecord(in: batch, decompressor: Decompressor(), byteCountMax: 1 << 20) { record, memory in
          let value = record.value.map { String(decoding: memory[$0], as: UTF8.self) } ?? ""
          seen.append(SeenRecord(offset: header.offset(of: record).value, value: value))
          return true
        }
      } catch { Issue.record("a batch that was fetched is not readable: \(error)") }
      position += header.totalByteCount
    }
  }
  return seen
}

/// The offset behind the last whole batch: batches that compaction emptied count too.
func nextOffset(in bytes: [UInt8]) -> Int64? {
  bytes.withUnsafeBytes { bytes in
    var position = 0
    var next: Int64?
    while let header = RecordBatchHeader(reading: UnsafeRawBufferPointer(rebasing: bytes[position...])),
      header.totalByteCount <= bytes.count - position
    {
      next = header.nextOffset.value
      position += header.totalByteCount
    }
    return next
  }
}

extension SimulatedClient {
  func sendProduce(_ topic: String, _ partition: Int32 = 0, _ values: [String], acks: Int16 = -1) {
    sendProduce([(topic, partition, batch(values))], acks: acks)
  }

  func sendProduce(_ parts: [(topic: String, partition: Int32, records: [UInt8])], acks: Int16 = -1) {
    let topics = parts.map { part in
      ProduceRequest.TopicProduceData(
        name: part.topic, partitionData: [.init(index: part.partition, records: .bytes(part.records))])
    }
    send(.produce(ProduceRequest(acks: acks, timeoutMs: 1000, topicData: topics)), version: 9, key: .produce)
  }

  func sendFetch(
    _ parts: [(topic: String, partition: Int32, offset: Int64)], maxWaitMs: Int32 = 0, minBytes: Int32 = 1,
    maxBytes: Int32 = 1 << 20
  ) {
    let topics = parts.map { part in
      FetchRequest.FetchTopic(
        topic: part.topic,
        partitions: [.init(partition: part.partition, fetchOffset: part.offset, partitionMaxBytes: maxBytes)])
    }
    send(
      .fetch(FetchRequest(maxWaitMs: maxWaitMs, minBytes: minBytes, maxBytes: maxBytes, topics: topics)), version: 12,
      key: .fetch)
  }

  func sendFetch(_ topic: String, _ partition: Int32 = 0, from offset: Int64, maxWaitMs: Int32 = 0) {
    sendFetch([(topic, partition, offset)], maxWaitMs: maxWaitMs)
  }

  func sendCreate(_ topic: String, partitions: Int32 = 1, configs: [String: String] = [:]) {
    let configs = configs.sorted { $0.key < $1.key }.map {
      CreateTopicsRequest.CreatableTopicConfig(name: $0.key, value: $0.value)
    }
    send(
      .createTopics(
        CreateTopicsRequest(
          topics: [.init(name: topic, numPartitions: partitions, replicationFactor: 1, configs: configs)])),
      version: 7, key: .createTopics)
  }

  func sendDelete(_ topic: String) {
    send(.deleteTopics(DeleteTopicsRequest(topics: [.init(name: topic)])), version: 6, key: .deleteTopics)
  }

  func sendApiVersions() {
    send(
      .apiVersions(ApiVersionsRequest(clientSoftwareName: "walker", clientSoftwareVersion: "1.0")), version: 3,
      key: .apiVersions)
  }
}

extension Answer {
  /// The partitions of a produce answer, in order.
  var produced: [ProduceResponse.PartitionProduceResponse] {
    guard case .produce(let body) = response else { return [] }
    return body.responses.flatMap(\.partitionResponses)
  }

  /// The partitions of a fetch answer, in order, each with its records.
  var fetched: [(error: ErrorCode, highWatermark: Int64, records: [SeenRecord], nextOffset: Int64?)] {
    guard case .fetch(let body) = response else { return [] }
    return body.responses.flatMap(\.partitions).map { partition in
      let bytes = frame.withUnsafeBytes { partition.records.resolved(in: $0).map { Array($0) } ?? [] }
      return (partition.errorCode, partition.highWatermark, records(in: bytes), nextOffset(in: bytes))
    }
  }

  /// The error of each topic of a create or delete answer.
  var topicErrors: [ErrorCode] {
    switch response {
    case .createTopics(let body): body.topics.map(\.errorCode)
    case .deleteTopics(let body): body.responses.map(\.errorCode)
    default: []
    }
  }
}

extension SimulatedBroker {
  /// Makes a topic and waits until it is there.
  func create(_ topic: String, partitions: Int32 = 1) throws {
    let client = connect()
    client.sendCreate(topic, partitions: partitions)
    settle()
    let answer = try client.takeOne()
    try #require(answer.topicErrors == [.none], "\(answer)")
    disconnect(client)
    settle()
  }

  /// The shard that owns a partition.
  func owner(of topic: String, _ partition: Int) throws -> Int {
    let id = try #require(shards[0].image.topic(named: topic)?.id)
    return shards[0].owner(of: id, partition)
  }

  /// A partition of `topic` that `shard` owns.
  func partition(of topic: String, on shard: Int, count: Int = 2) throws -> Int32 {
    Int32(try #require(try (0..<count).first { try owner(of: topic, $0) == shard }))
  }

  /// All records of a partition, read by a client of its own.
  func readAll(_ topic: String, _ partition: Int32 = 0) throws -> [SeenRecord] {
    let client = connect()
    defer { disconnect(client) }
    var seen: [SeenRecord] = []
    var next: Int64 = 0
    while true {
      client.sendFetch(topic, partition, from: next)
      settle()
      let part = try #require(try client.takeOne().fetched.first)
      try #require(part.error == .none, "reading \(topic)-\(partition): \(part.error.name)")
      guard let end = part.nextOffset else { return seen }
      next = end
      seen += part.records
    }
  }
}
