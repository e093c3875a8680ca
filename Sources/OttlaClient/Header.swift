/// A header of a record: a name, not unique, and bytes or null (KIP-82).
///
/// ```swift
/// let header = Header("trace-id", "7f3a")
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
