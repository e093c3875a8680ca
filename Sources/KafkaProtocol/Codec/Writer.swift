package import Primitives

/// Appends fields to an output buffer, straight into its memory.
package struct Writer {
  @usableFromInline let buffer: OutputBuffer
  /// Where bytes that are not in memory are to be sent, in order. See `RecordsPayload.external`.
  package internal(set) var cuts: [Cut] = []
  /// The memory that `RecordsPayload.slice` refers to, where such are to be encoded again.
  package var source: UnsafeRawBufferPointer?

  @inlinable package init(_ buffer: OutputBuffer) {
    self.buffer = buffer
    source = nil
  }
}

// MARK: - Fixed widths

extension Writer {
  @inlinable @inline(__always)
  func fixed<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
    buffer.reserve(MemoryLayout<Value>.size)
    let end = buffer.end
    buffer.base.storeBigEndian(value, at: end)
    buffer.end = end &+ MemoryLayout<Value>.size
  }

  @inlinable package func int8(_ value: Int8) { fixed(value) }
  @inlinable package func int16(_ value: Int16) { fixed(value) }
  @inlinable package func int32(_ value: Int32) { fixed(value) }
  @inlinable package func int64(_ value: Int64) { fixed(value) }
  @inlinable package func uint16(_ value: UInt16) { fixed(value) }
  @inlinable package func uint32(_ value: UInt32) { fixed(value) }
  @inlinable package func float64(_ value: Double) { fixed(value.bitPattern) }
  @inlinable package func bool(_ value: Bool) { fixed(value ? 1 as UInt8 : 0) }
  @inlinable package func errorCode(_ value: ErrorCode) { fixed(value.rawValue) }
  @inlinable package func uuid(_ value: UUID) {
    fixed(value.high)
    fixed(value.low)
  }

  /// The byte in front of a struct that may be null: 1, or -1 for null.
  @inlinable package func presence(_ isPresent: Bool) { fixed(isPresent ? 1 as Int8 : -1) }
}

// MARK: - Lengths

extension Writer {
  /// Seven bits a byte, lowest first.
  @inlinable package func unsignedVarint(_ value: UInt32) {
    buffer.reserve(5)
    var rest = value
    var end = buffer.end
    while rest >= 0x80 {
      buffer.base.storeBytes(of: UInt8(truncatingIfNeeded: rest) | 0x80, toByteOffset: end, as: UInt8.self)
      end &+= 1
      rest >>= 7
    }
    buffer.base.storeBytes(of: UInt8(truncatingIfNeeded: rest), toByteOffset: end, as: UInt8.self)
    buffer.end = end &+ 1
  }

  /// The length of bytes, or the count of an array.
  @inlinable func longLength(_ length: Int, compact: Bool) {
    if compact { return unsignedVarint(UInt32(truncatingIfNeeded: length &+ 1)) }
    int32(Int32(truncatingIfNeeded: length))
  }

  @inlinable package func arrayCount(_ count: Int, compact: Bool) { longLength(count, compact: compact) }

  @inlinable package func nullableArrayCount(_ count: Int?, compact: Bool) {
    longLength(count ?? -1, compact: compact)
  }
}

// MARK: - Variable lengths

extension Writer {
  /// The longest string that an int16 length can tell.
  @usableFromInline static var stringBytesMax: Int { 32_767 }

  /// Longer strings are cut at 32767 bytes: no version of the protocol carries more.
  @inlinable package func string(_ value: String, compact: Bool) {
    var value = value
    value.withUTF8 { utf8 in
      let bytes = UnsafeRawBufferPointer(start: utf8.baseAddress, count: min(utf8.count, Self.stringBytesMax))
      if compact {
        unsignedVarint(UInt32(truncatingIfNeeded: bytes.count &+ 1))
      } else {
        int16(Int16(truncatingIfNeeded: bytes.count))
      }
      buffer.append(bytes)
    }
  }

  @inlinable package func nullableString(_ value: String?, compact: Bool) {
    if let value { return string(value, compact: compact) }
    if compact { unsignedVarint(0) } else { int16(-1) }
  }

  @inlinable package func bytes(_ value: [UInt8], compact: Bool) {
    longLength(value.count, compact: compact)
    buffer.append(value)
  }

  @inlinable package func nullableBytes(_ value: [UInt8]?, compact: Bool) {
    if let value { bytes(value, compact: compact) } else { longLength(-1, compact: compact) }
  }

  /// Of `.external` only the length is written; where the bytes belong is appended to `cuts`.
  @inlinable package mutating func records(_ value: RecordsPayload, compact: Bool) {
    switch value {
    case .null: longLength(-1, compact: compact)
    case .bytes(let bytes): self.bytes(bytes, compact: compact)
    case .slice(let range):
      precondition(range.upperBound <= source?.count ?? 0, "records to encode lie outside the writer's source")
      longLength(range.count, compact: compact)
      if let source { buffer.append(UnsafeRawBufferPointer(rebasing: source[range])) }
    case .external(let byteCount):
      longLength(byteCount, compact: compact)
      cuts.append(Cut(bufferPosition: buffer.end, byteCount: byteCount))
    }
  }
}

// MARK: - Tagged fields

extension Writer {
  /// Ends a flexible struct that has no tagged fields to write.
  @inlinable package func noTaggedFields() { fixed(0 as UInt8) }

  /// Writes the tag, and room for a length of one byte. What follows, up to `endTaggedField`, is the field.
  ///
  /// - Returns: where the field starts, as a distance from the buffer's `base`.
  @inlinable package func beginTaggedField(_ tag: UInt32) -> Int {
    unsignedVarint(tag)
    fixed(0 as UInt8)
    return buffer.end
  }

  /// Puts the field's length in front of it. A field of 128 bytes and more is moved to make room.
  @inlinable package func endTaggedField(from start: Int) {
    let length = buffer.end &- start
    if length < 0x80 {
      buffer.base.storeBytes(of: UInt8(truncatingIfNeeded: length), toByteOffset: start &- 1, as: UInt8.self)
    } else {
      moveTaggedField(from: start, length: length)
    }
  }

  @usableFromInline func moveTaggedField(from start: Int, length: Int) {
    let extra = (63 &- UInt64(length).leadingZeroBitCount) / 7
    buffer.reserve(extra)
    (buffer.base + start + extra).copyMemory(from: buffer.base + start, byteCount: length)
    buffer.end = start &- 1
    unsignedVarint(UInt32(truncatingIfNeeded: length))
    buffer.end = start &+ extra &+ length
  }
}
