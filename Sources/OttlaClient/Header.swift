/// A header of a record: a name, not unique, and bytes or null (KIP-82).
///
/// ```swift
/// let headers = [Header("trace-id", "7f3a"), Header("checksum", [0xff, 0x01])]
/// try await producer.enqueue(ProducerRecord(topic: "orders", value: "paid", headers: headers))
/// ```
///
/// A reader that does not know what a header holds shows text as text, and counts the bytes of the rest:
///
/// ```swift
/// for header in record.headers {
///   if let text = header.text {
///     print(header.name, text)
///   } else {
///     print(header.name, header.value.map { "\($0.count) bytes" } ?? "null")
///   }
/// }
/// ```
public struct Header: Hashable, Sendable {
  /// The header's name; a record may have several of one name, in order.
  public let name: String
  /// Its bytes; nil is a null value, which is not the same as no bytes.
  public let value: [UInt8]?

  /// A header of bytes, or with a null value.
  public init(_ name: String, _ value: [UInt8]?) {
    self.name = name
    self.value = value
  }

  /// A header whose value is text in UTF-8.
  public init(_ name: String, _ value: String) { self.init(name, Array(value.utf8)) }

  /// The value as text; nil for null or bytes that are not UTF-8.
  public var text: String? { value.flatMap { String(validating: $0, as: UTF8.self) } }
}
