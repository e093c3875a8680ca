internal import Primitives

/// Something with a layout of its own in the Kafka protocol: a request, a response, a header, a record.
///
/// A field that a version lacks is left out when encoding, whatever its value, and has its default after decoding.
package protocol Message: Sendable, Equatable {
  /// The versions that can be encoded and decoded.
  static var versions: ClosedRange<Int16> { get }
  /// The first version with compact lengths and tagged fields; `Int16.max` where there is none.
  static var flexibleFrom: Int16 { get }

  /// A message of defaults.
  init()

  /// Reads a message. After it `reader.failure` tells whether there was one; if set, what is returned means nothing.
  static func decode(from reader: inout Reader, version: Int16) -> Self

  /// Appends the message to the writer's buffer.
  func encode(into writer: inout Writer, version: Int16)
}

extension Message {
  /// Reads a message from the start of `bytes`. Bytes behind it are ignored, as Kafka ignores them.
  package static func decode(_ bytes: UnsafeRawBufferPointer, version: Int16) throws(DecodeError) -> Self {
    guard versions.contains(version) else { throw .unsupportedVersion }
    var reader = Reader(bytes)
    let message = decode(from: &reader, version: version)
    if let failure = reader.failure { throw failure }
    return message
  }

  /// The same from an array.
  package static func decode(_ bytes: [UInt8], version: Int16) throws(DecodeError) -> Self {
    let result = bytes.withUnsafeBytes { bytes -> Result<Self, DecodeError> in
      do throws(DecodeError) { return .success(try decode(bytes, version: version)) } catch { return .failure(error) }
    }
    return try result.get()
  }

  /// The message alone, without header or length.
  package func encoded(version: Int16) -> [UInt8] {
    let buffer = OutputBuffer()
    var writer = Writer(buffer)
    encode(into: &writer, version: version)
    return Array(buffer.bytes)
  }
}
