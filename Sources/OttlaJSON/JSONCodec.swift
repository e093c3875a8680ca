internal import Foundation
public import OttlaClient

/// `Codable` values as JSON, through Foundation's encoder.
///
/// ```swift
/// struct Order: Codable { let id: Int, total: Double }
/// let codec = JSONCodec<Order>()
/// let order = Order(id: 17, total: 9.5)
/// try await producer.enqueue(ProducerRecord(topic: "orders", key: "17", value: order, by: codec))
/// for try await record in consumer.records {
///   print(try record.value(by: codec).total)
/// }
/// ```
///
/// Keys are in order, so equal values are equal bytes; dates are ISO 8601.
public struct JSONCodec<Value: Codable>: Serializer, Deserializer {
  /// JSON of `Value`.
  public init() {}

  /// The JSON of `value`.
  ///
  /// - Throws: where `value` cannot be encoded (a number that is not finite, say).
  public func serialize(_ value: Value, topic: String) throws(SerializationError) -> [UInt8]? {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .iso8601
    do { return Array(try encoder.encode(value)) } catch { throw SerializationError(Self.sentence(error)) }
  }

  /// The value whose JSON `bytes` are.
  ///
  /// - Throws: for null, and for bytes that are not its JSON.
  public func deserialize(_ bytes: [UInt8]?, topic: String) throws(SerializationError) -> Value {
    guard let bytes else { throw SerializationError("it is null") }
    let decoder = JSONDecoder()
    decoder.dateDecodingStrategy = .iso8601
    do { return try decoder.decode(Value.self, from: Data(bytes)) } catch {
      throw SerializationError(Self.sentence(error))
    }
  }

  /// What is wrong and where, without the dump that these errors print.
  private static func sentence(_ error: any Error) -> String {
    let (context, what): (DecodingError.Context, String)
    switch error {
    case DecodingError.keyNotFound(let key, let found): (context, what) = (found, "'\(key.stringValue)' is missing")
    case DecodingError.valueNotFound(let type, let found): (context, what) = (found, "null where \(type) must be")
    case DecodingError.typeMismatch(let type, let found): (context, what) = (found, "no \(type)")
    case DecodingError.dataCorrupted(let found): (context, what) = (found, found.debugDescription)
    case EncodingError.invalidValue(let value, let found): return "\(value): \(found.debugDescription)"
    default: return "\(error)"
    }
    let path = context.codingPath.map { $0.intValue.map(String.init) ?? $0.stringValue }.joined(separator: ".")
    return path.isEmpty ? what : "\(what) (at \(path))"
  }
}

extension Producer {
  /// Sends `value` as JSON and waits until the broker has acknowledged it.
  ///
  /// ```swift
  /// let report = try await producer.send(order, to: "orders", key: "17")
  /// ```
  ///
  /// - Throws: `SerializationError` where it cannot be encoded, `ProducerError` as `send` does.
  public func send(
    _ value: some Codable & Sendable, to topic: String, key: String? = nil, headers: [Header] = []
  ) async throws -> DeliveryReport {
    try await send(Self.record(value, topic, key, headers))
  }

  private static func record<Value: Codable>(
    _ value: Value, _ topic: String, _ key: String?, _ headers: [Header]
  ) throws(SerializationError) -> ProducerRecord {
    try ProducerRecord(topic: topic, key: key, value: value, by: JSONCodec<Value>(), headers: headers)
  }
}

extension ConsumerRecord {
  /// The value, which is JSON.
  ///
  /// ```swift
  /// let order = try record.decode(Order.self)
  /// ```
  ///
  /// - Throws: with topic, partition and offset where it does not decode.
  public func decode<Value: Codable>(_ type: Value.Type) throws(DeserializationError) -> Value {
    try value(by: JSONCodec<Value>())
  }
}
