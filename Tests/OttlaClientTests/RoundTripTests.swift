import OttlaClient
import OttlaJSON
import Synchronization
import TestServers
import Testing

@Suite struct RoundTripTests {
  /// librdkafka alone begins to read up to half a second after the assignment.
  @Test func anAssignedPartitionIsReadAtOnce() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t", partitions: 3)
    try await broker.produce(0..<3, to: "t", partitions: 3)
    var took: [Duration] = []
    for _ in 0..<5 {
      let consumer = try Consumer(broker.consumerConfiguration())
      let began = ContinuousClock.now
      try await consumer.assign([TopicPartition("t", 2): .earliest])
      _ = try await take(1, from: consumer)
      took.append(ContinuousClock.now - began)
      try await consumer.close()
    }
    #expect(took.sorted()[2] < .milliseconds(400), "\(took)")
  }

  @Test func recordsArriveAsTheyWereSent() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t", partitions: 2)
    let producer = try Producer(broker.producerConfiguration)
    let headers = [Header("a", "1"), Header("b", nil), Header("a", [])]
    let full = ProducerRecord(
      topic: "t", partition: 1, key: [], value: [0, 255], headers: headers, timestamp: 1_700_000_000_123)
    let report = try await producer.send(full)
    #expect(report.topicPartition == TopicPartition("t", 1))
    #expect(report.offset == 0)
    #expect(report.timestamp == 1_700_000_000_123)
    let tombstone = try await producer.send(ProducerRecord(topic: "t", partition: 1, value: nil as [UInt8]?))
    #expect(tombstone.offset == 1)
    await #expect {
      try await producer.send(ProducerRecord(topic: "t", value: "old", timestamp: 0))
    } throws: { "\($0)".contains("'0' is no value for timestamp") }
    try await producer.close()

    let consumer = try Consumer(broker.consumerConfiguration())
    try await consumer.assign([TopicPartition("t", 1): .earliest])
    let records = try await take(2, from: consumer)
    #expect(records[0].key == [] && records[0].value == [0, 255])
    #expect(records[0].headers == headers && records[0].timestamp == 1_700_000_000_123)
    #expect(records[0].header("a")?.text == "1")
    #expect(records[1].key == nil && records[1].value == nil && records[1].headers.isEmpty)
    #expect(records.map(\.offset) == [0, 1])
    #expect(consumer.position(of: TopicPartition("t", 1)) == 2)
    try await consumer.close()
    await #expect(throws: ProducerError.closed) { try await producer.send(full) }
    await #expect(throws: ClientError.closed) { try await consumer.assign([:]) }
  }

  /// Partitions that Java's client chooses for these keys among 3: murmur2 with the sign cut off.
  @Test func keysGoWhereJavaSendsThem() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("keys", partitions: 3)
    let producer = try Producer(broker.producerConfiguration)
    for key in ["21", "foobar", "a-little-bit-long-string", "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"] {
      let report = try await producer.send(ProducerRecord(topic: "keys", key: key, value: "v"))
      #expect(report.partition == Int32(murmur2(Array(key.utf8)) & 0x7fff_ffff) % 3, "\(key)")
    }
    try await producer.close()
  }

  @Test func orderHoldsAndEveryCallbackIsCalled() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("order")
    let offsets = Mutex<[Int64]>([])
    try await withProducer(broker.producerConfiguration) { producer in
      for number in 0..<2000 {
        try await producer.enqueue(ProducerRecord(topic: "order", value: "\(number)")) { outcome in
          if case .success(let report) = outcome { offsets.withLock { $0.append(report.offset ?? -1) } }
        }
      }
    }
    #expect(offsets.withLock { $0 } == Array(0..<2000))
    let consumer = try Consumer(broker.consumerConfiguration())
    try await consumer.assign([TopicPartition("order", 0): .offset(100)])
    let records = try await take(1900, from: consumer)
    #expect(records.map(\.valueText) == (100..<2000).map { "\($0)" })
    try await consumer.close()
  }

  struct Order: Codable, Equatable {
    let id: Int
    let note: String?
  }

  @Test func codableValuesArriveAndPoisonIsNamed() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("json")
    let producer = try Producer(broker.producerConfiguration)
    _ = try await producer.send(Order(id: 7, note: nil), to: "json", key: "7")
    _ = try await producer.send(ProducerRecord(topic: "json", value: "{\"id\":\"x\"}"))
    _ = try await producer.send(Order(id: 8, note: "ü"), to: "json")
    try await producer.close()
    let consumer = try Consumer(broker.consumerConfiguration("json"))
    try await consumer.subscribe(to: ["json"])
    let records = try await take(3, from: consumer)
    #expect(try records[0].decode(Order.self) == Order(id: 7, note: nil))
    #expect(try records[2].decode(Order.self) == Order(id: 8, note: "ü"))
    let error = #expect(throws: DeserializationError.self) { try records[1].decode(Order.self) }
    #expect(error?.topicPartition == TopicPartition("json", 0) && error?.offset == 1 && error?.part == .value)
    #expect(error?.description == "the value of json-0 at offset 1 does not decode: no Int (at id)")
    try await consumer.close()
  }

  @Test func batchesAreWhatIsThere() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("b")
    try await broker.produce(0..<1000, to: "b")
    let consumer = try Consumer(broker.consumerConfiguration())
    try await consumer.assign([TopicPartition("b", 0): .earliest])
    var seen: [String?] = []
    for try await batch in consumer.batches(of: 300) {
      #expect((1...300).contains(batch.count))
      seen += batch.map(\.valueText)
      if seen.count >= 1000 { break }
    }
    #expect(seen == (0..<1000).map { "\($0)" })
    try await consumer.close()
  }
}

/// The next `count` records of `consumer`, within 30 seconds.
func take(_ count: Int, from consumer: Consumer) async throws -> [ConsumerRecord] {
  try await within(.seconds(30)) {
    var records: [ConsumerRecord] = []
    for try await record in consumer.records {
      records.append(record)
      if records.count == count { break }
    }
    return records
  }
}

/// Kafka's hash of keys.
private func murmur2(_ data: [UInt8]) -> UInt32 {
  let m: UInt32 = 0x5bd1_e995
  var h: UInt32 = 0x9747_b28c ^ UInt32(data.count)
  var index = 0
  while index + 4 <= data.count {
    var k =
      UInt32(data[index]) | UInt32(data[index + 1]) << 8 | UInt32(data[index + 2]) << 16 | UInt32(data[index + 3]) << 24
    k = k &* m
    k ^= k >> 24
    k = k &* m
    h = h &* m
    h ^= k
    index += 4
  }
  let rest = data[index...]
  if rest.count >= 3 { h ^= UInt32(rest[index + 2]) << 16 }
  if rest.count >= 2 { h ^= UInt32(rest[index + 1]) << 8 }
  if rest.count >= 1 {
    h ^= UInt32(rest[index])
    h = h &* m
  }
  h ^= h >> 13
  h = h &* m
  h ^= h >> 15
  return h
}
