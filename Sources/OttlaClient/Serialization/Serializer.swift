/// Makes bytes of a value (Kafka's `Serializer`).
///
/// ```swift
/// let record = try ProducerRecord(topic: "orders", key: "17", value: order, by: JSONCodec<Order>())
/// ```
///
/// One of your own:
///
/// ```swift
/// /// Numbers as Kafka's `LongSerializer` writes them: eight bytes, the highest first.
/// struct LongSerializer: Serializer {
///   typealias Value = Int64
///
///   func serialize(_ value: Int64, topic: String) throws(SerializationError) -> [UInt8]? {
///     withUnsafeBytes(of: value.bigEndian) { Array($0) }
///   }
/// }
/// let record = try ProducerRecord(topic: "totals", key: "customer-17", value: 950, by: LongSerializer())
/// ```
public protocol Serializer<Value>: Sendable {
  /// What it takes.
  associatedtype Value

  /// The bytes of `value`, for a record of `topic`; nil for a tombstone.
  ///
  /// - Throws: where the value has no such form.
  func serialize(_ value: Value, topic: String) throws(SerializationError) -> [UInt8]?
}

/// Makes a value of bytes (Kafka's `Deserializer`).
///
/// ```swift
/// let order = try record.value(by: JSONCodec<Order>())
/// ```
///
/// One of your own:
///
/// ```swift
/// /// Numbers as Kafka's `LongSerializer` writes them: eight bytes, the highest first.
/// struct LongDeserializer: Deserializer {
///   typealias Value = Int64
///
///   func deserialize(_ bytes: [UInt8]?, topic: String) throws(SerializationError) -> Int64 {
///     guard let bytes else { throw SerializationError("it is null") }
///     guard bytes.count == 8 else { throw SerializationError("it has \(bytes.count) bytes, and not 8") }
///     return bytes.reduce(0) { $0 << 8 | Int64($1) }
///   }
/// }
/// let total = try record.value(by: LongDeserializer())
/// ```
public protocol Deserializer<Value>: Sendable {
  /// What it gives.
  associatedtype Value

  /// The value that `bytes` of a record of `topic` stand for; nil bytes are a tombstone.
  ///
  /// - Throws: where they stand for none.
  func deserialize(_ bytes: [UInt8]?, topic: String) throws(SerializationError) -> Value
}

/// Why a value has no bytes, or bytes no value.
///
/// ```swift
/// do {
///   let record = try ProducerRecord(topic: "orders", value: order, by: JSONCodec<Order>())
///   try await producer.enqueue(record)
/// } catch let error as SerializationError {
///   print("order \(order.id) cannot be sent: \(error.reason)")
/// }
/// ```
///
/// A serializer says by it what is wrong, as a sentence:
///
/// ```swift
/// func cents(_ amount: Double) throws(SerializationError) -> Int64 {
///   if let cents = Int64(exactly: (amount * 100).rounded()) { return cents }
///   throw SerializationError("\(amount) is no amount")
/// }
/// ```
public struct SerializationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong, as a sentence.
  public let reason: String

  /// A failure with a sentence about it.
  public init(_ reason: String) { self.reason = reason }

  /// The sentence.
  public var description: String { reason }
}

/// A record that does not decode: which one, and why (Kafka's `RecordDeserializationException`, KIP-334).
///
/// The record is not lost: reading goes on behind it, and `consumer.seek` comes back to it.
///
/// ```swift
/// do {
///   try await handle(try record.value(by: codec))
/// } catch let error as DeserializationError {
///   print(error)  // the value of orders-0 at offset 17 does not decode: it is not UTF-8
/// }
/// ```
///
/// What is needed to set it aside, and to come back to it:
///
/// ```swift
/// do {
///   try await handle(try record.value(by: codec))
/// } catch let error as DeserializationError {
///   let place = "the \(error.part) in partition \(error.partition) of \(error.topic)"
///   try await producer.enqueue(
///     ProducerRecord(
///       topic: "unreadable", key: record.key, value: record.value,
///       headers: [Header("place", place), Header("offset", "\(error.offset)"), Header("reason", error.reason)]))
///   print("to look at it again: seek \(error.topicPartition) to \(error.offset)")
/// }
/// ```
public struct DeserializationError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The half of a record.
  ///
  /// ```swift
  /// do {
  ///   print(try record.key(by: StringCodec()), try record.value(by: JSONCodec<Order>()))
  /// } catch {
  ///   switch error.part {
  ///   case .key: print("it is not known whose order it is: \(error.reason)")
  ///   case .value: print("the order of \(record.keyText ?? "-") cannot be read: \(error.reason)")
  ///   }
  /// }
  /// ```
  public enum Part: String, Sendable {
    /// The record's key.
    case key
    /// The record's value.
    case value
  }

  /// Where the record lies.
  public let topicPartition: TopicPartition
  /// Its offset there.
  public let offset: Int64
  /// Which half did not decode.
  public let part: Part
  /// What is wrong, as a sentence.
  public let reason: String

  /// The topic's name.
  public var topic: String { topicPartition.topic }
  /// The partition's number.
  public var partition: Int32 { topicPartition.partition }

  /// One sentence with the place and the reason.
  public var description: String { "the \(part) of \(topicPartition) at offset \(offset) does not decode: \(reason)" }
}

/// Text in UTF-8 (Kafka's `StringSerializer` and `StringDeserializer`).
///
/// ```swift
/// let text = try record.value(by: StringCodec())
/// ```
public struct StringCodec: Serializer, Deserializer {
  /// UTF-8 both ways.
  public init() {}

  /// The bytes of `value` in UTF-8.
  ///
  /// - Throws: nothing: every text has bytes.
  public func serialize(_ value: String, topic: String) throws(SerializationError) -> [UInt8]? { Array(value.utf8) }

  /// The text that `bytes` are.
  ///
  /// - Throws: for null, and for bytes that are not UTF-8.
  public func deserialize(_ bytes: [UInt8]?, topic: String) throws(SerializationError) -> String {
    guard let bytes else { throw SerializationError("it is null") }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw SerializationError("it is not UTF-8") }
    return text
  }
}
