/// The record batches inside a Produce request or a Fetch response, kept where they are.
package enum RecordsPayload: Hashable, Sendable {
  case null
  /// Bytes to encode.
  case bytes([UInt8])
  /// What decoding gives: a range of the memory that the Reader was made over. Nothing is copied.
  case slice(Range<Int>)
  /// Bytes that are not in memory: only their length is encoded, and the Writer notes a `Cut` where they belong.
  case external(byteCount: Int)

  /// How many bytes of records there are.
  package var byteCount: Int {
    switch self {
    case .null: 0
    case .bytes(let bytes): bytes.count
    case .slice(let range): range.count
    case .external(let byteCount): byteCount
    }
  }

  /// The bytes of a slice, given the memory that the Reader was made over; nil for every other kind, and for a slice of
  /// other memory.
  package func resolved(in frame: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    guard case .slice(let range) = self, range.upperBound <= frame.count else { return nil }
    return UnsafeRawBufferPointer(rebasing: frame[range])
  }
}

/// A place in an encoded response where bytes from elsewhere are to be sent.
package struct Cut: Hashable, Sendable {
  /// Where they go, as a distance from the buffer's `base`.
  package let bufferPosition: Int
  /// How many they are.
  package let byteCount: Int
  package init(bufferPosition: Int, byteCount: Int) {
    self.bufferPosition = bufferPosition
    self.byteCount = byteCount
  }
}
