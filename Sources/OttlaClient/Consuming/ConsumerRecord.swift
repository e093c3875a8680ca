/// A record that was read (Kafka's `ConsumerRecord`): a value of its own, to keep and to send to other tasks.
///
/// ```swift
/// for try await record in consumer.records {
///   print(record.partition, record.offset, record.valueText ?? "null")
/// }
/// ```
///
/// What stands beside the value:
///
/// ```swift
/// import Foundation
///
/// let time = record.timestamp.map { Date(timeIntervalSince1970: Double($0) / 1000) }
/// print("a record of \(record.topic), from \(time?.description ?? "some time")")
/// print("in \(record.topicPartition) at offset \(record.offset)")
/// print("trace \(record.header("trace-id")?.text ?? "-"), one of \(record.headers.count) headers")
/// ```
///
/// A view of a topic that keeps the last value of each key; a record without one deletes it:
///
/// ```swift
/// for try await record in consumer.records {
///   guard let key = record.keyText else { continue }
///   if record.value == nil {
///     customers[key] = nil
///   } else {
///     customers[key] = try record.value(by: StringCodec())
///   }
/// }
/// ```
///
/// Keys that are not text are bytes, or what a `Deserializer` makes of them:
///
/// ```swift
/// print(record.key?.count ?? 0, "bytes")
/// let customer = try record.key(by: JSONCodec<Customer>())
/// ```
public struct ConsumerRecord: Sendable {
  /// Where it lies.
  public let topicPartition: TopicPartition
  /// Its offset there.
  public let offset: Int64
  /// Its time in milliseconds since 1970, by the producer's clock or the broker's; nil for none.
  public let timestamp: Int64?
  /// nil for a record without a key.
  public let key: [UInt8]?
  /// nil for a tombstone.
  public let value: [UInt8]?
  /// Names and values beside it, in order.
  public let headers: [Header]
  /// Which time of holding the partition it belongs to.
  let mark: RecordMark

  /// The topic's name.
  public var topic: String { topicPartition.topic }
  /// The partition's number.
  public var partition: Int32 { topicPartition.partition }
  /// The key as text; nil for null or bytes that are not UTF-8.
  public var keyText: String? { key.flatMap { String(validating: $0, as: UTF8.self) } }
  /// The value as text; nil for null or bytes that are not UTF-8.
  public var valueText: String? { value.flatMap { String(validating: $0, as: UTF8.self) } }

  /// The first header of that name.
  public func header(_ name: String) -> Header? { headers.first { $0.name == name } }

  /// The value that `deserializer` makes of the bytes.
  ///
  /// - Throws: with topic, partition and offset where they do not decode.
  public func value<Codec: Deserializer>(by deserializer: Codec) throws(DeserializationError) -> Codec.Value {
    try decode(value, .value, deserializer)
  }

  /// The key that `deserializer` makes of the bytes.
  ///
  /// - Throws: with topic, partition and offset where they do not decode.
  public func key<Codec: Deserializer>(by deserializer: Codec) throws(DeserializationError) -> Codec.Value {
    try decode(key, .key, deserializer)
  }

  private func decode<Codec: Deserializer>(
    _ bytes: [UInt8]?, _ part: DeserializationError.Part, _ deserializer: Codec
  ) throws(DeserializationError) -> Codec.Value {
    do throws(SerializationError) {
      return try deserializer.deserialize(bytes, topic: topic)
    } catch {
      throw DeserializationError(topicPartition: topicPartition, offset: offset, part: part, reason: error.reason)
    }
  }
}

/// A record's place in a consumer's book: which partition it came from, and in which time of holding it.
struct RecordMark: Hashable, Sendable {
  let slot: Int
  let epoch: UInt64
  let offset: Int64
}
