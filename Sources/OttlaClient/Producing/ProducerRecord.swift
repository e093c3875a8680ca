/// A record to be sent (Kafka's `ProducerRecord`).
///
/// ```swift
/// let record = ProducerRecord(topic: "orders", key: "customer-17", value: "paid")
/// ```
///
/// All that a record can have:
///
/// ```swift
/// var record = ProducerRecord(topic: "orders", key: Array("customer-17".utf8), value: [1, 2, 3])
/// record.partition = 2  // whatever the key's hash says
/// record.headers = [Header("trace-id", "7f3a")]
/// record.timestamp = 1_764_374_400_000  // when it happened, which was not now
/// ```
///
/// A tombstone deletes the key in a compacted topic:
///
/// ```swift
/// try await producer.enqueue(ProducerRecord(topic: "customers", key: Array("customer-17".utf8), value: nil))
/// ```
public struct ProducerRecord: Hashable, Sendable {
  /// Where it goes.
  public var topic: String
  /// The partition; nil leaves it to the partitioner: the key's hash, or any for a record without a key.
  public var partition: Int32?
  /// Records of one key keep their order in one partition. nil is no key, which is not the same as no bytes.
  public var key: [UInt8]?
  /// nil is a tombstone: in a compacted topic it deletes the key.
  public var value: [UInt8]?
  /// Names and values beside it, in order.
  public var headers: [Header]
  /// When it happened, in milliseconds since 1970, above 0; nil for now.
  public var timestamp: Int64?

  /// A record of bytes.
  public init(
    topic: String, partition: Int32? = nil, key: [UInt8]? = nil, value: [UInt8]?, headers: [Header] = [],
    timestamp: Int64? = nil
  ) {
    self.topic = topic
    self.partition = partition
    self.key = key
    self.value = value
    self.headers = headers
    self.timestamp = timestamp
  }

  /// A record of text, in UTF-8.
  public init(
    topic: String, partition: Int32? = nil, key: String? = nil, value: String, headers: [Header] = [],
    timestamp: Int64? = nil
  ) {
    self.init(
      topic: topic, partition: partition, key: key.map { Array($0.utf8) }, value: Array(value.utf8), headers: headers,
      timestamp: timestamp)
  }

  /// A record whose value is made of `value` by `serializer`.
  ///
  /// - Throws: what the serializer throws; nothing is sent.
  public init<Codec: Serializer>(
    topic: String, partition: Int32? = nil, key: String? = nil, value: Codec.Value, by serializer: Codec,
    headers: [Header] = [], timestamp: Int64? = nil
  ) throws(SerializationError) {
    self.init(
      topic: topic, partition: partition, key: key.map { Array($0.utf8) },
      value: try serializer.serialize(value, topic: topic), headers: headers, timestamp: timestamp)
  }
}

/// Where a delivered record lies (Kafka's `RecordMetadata`).
///
/// ```swift
/// let report = try await producer.send(ProducerRecord(topic: "orders", value: "paid"))
/// print("\(report.topic), partition \(report.partition), offset \(report.offset ?? -1), time \(report.timestamp)")
/// ```
///
/// What somebody needs to read this very record:
///
/// ```swift
/// let report = try await producer.send(ProducerRecord(topic: "orders", value: "paid"))
/// if let offset = report.offset { try await consumer.assign([report.topicPartition: .offset(offset)]) }
/// ```
public struct DeliveryReport: Hashable, Sendable {
  /// The partition that has it.
  public let topicPartition: TopicPartition
  /// Its offset there; nil where the broker was not asked to tell (`acks == .none`).
  public let offset: Int64?
  /// Its time in milliseconds since 1970: the record's own, or the broker's where the topic says so.
  public let timestamp: Int64

  /// The topic's name.
  public var topic: String { topicPartition.topic }
  /// The partition's number.
  public var partition: Int32 { topicPartition.partition }
}
