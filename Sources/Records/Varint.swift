/// Reads the fields of records from raw memory and never past the end of it.
///
/// Integers are zigzag varints of at most 5 and 10 bytes, as in Kafka's `ByteUtils`. Reading throws
/// `RecordError.malformedRecord` where the memory ends in the middle of a field or a varint is too long.
package struct ByteCursor {
  /// The next byte to read, as a place in memory.
  @usableFromInline package var next: UnsafeRawPointer
  @usableFromInline package let end: UnsafeRawPointer

  /// Bytes from `start` to just before `end`.
  @inlinable package init(from start: UnsafeRawPointer, to end: UnsafeRawPointer) {
    next = start
    self.end = end
  }

  /// Bytes left to read.
  @inlinable package var remaining: Int { end - next }

  @inlinable @inline(__always)
  package mutating func byte() throws(RecordError) -> UInt8 {
    guard next < end else { throw .malformedRecord }
    let value = next.load(as: UInt8.self)
    next += 1
    return value
  }

  @inlinable @inline(__always)
  package mutating func skip(_ byteCount: Int) throws(RecordError) {
    guard byteCount >= 0, byteCount <= remaining else { throw .malformedRecord }
    next += byteCount
  }

  /// A signed 32-bit varint. One and two bytes, nearly all there are, take the short way.
  @inlinable @inline(__always)
  package mutating func varint() throws(RecordError) -> Int32 {
    let first = UInt32(try byte())
    if first < 0x80 { return Self.unzigzag(first) }
    let second = UInt32(try byte())
    if second < 0x80 { return Self.unzigzag((first & 0x7f) | (second << 7)) }
    return Self.unzigzag(try longVarint((first & 0x7f) | ((second & 0x7f) << 7)))
  }

  @usableFromInline @inline(never)
  package mutating func longVarint(_ start: UInt32) throws(RecordError) -> UInt32 {
    var value = start
    var shift: UInt32 = 14
    while true {
      let piece = UInt32(try byte())
      if shift == 28, piece > 0x0f { throw .malformedRecord }
      value |= (piece & 0x7f) &<< shift
      if piece < 0x80 { return value }
      shift &+= 7
    }
  }

  /// A signed 64-bit varint.
  @inlinable @inline(__always)
  package mutating func varlong() throws(RecordError) -> Int64 {
    let first = UInt64(try byte())
    if first < 0x80 { return Self.unzigzag(first) }
    return Self.unzigzag(try longVarlong(first & 0x7f))
  }

  @usableFromInline @inline(never)
  package mutating func longVarlong(_ start: UInt64) throws(RecordError) -> UInt64 {
    var value = start
    var shift: UInt64 = 7
    while true {
      let piece = UInt64(try byte())
      if shift == 63, piece > 1 { throw .malformedRecord }
      value |= (piece & 0x7f) &<< shift
      if piece < 0x80 { return value }
      shift &+= 7
    }
  }

  @inlinable @inline(__always)
  package static func unzigzag(_ value: UInt32) -> Int32 {
    Int32(bitPattern: (value &>> 1) ^ (0 &- (value & 1)))
  }

  @inlinable @inline(__always)
  package static func unzigzag(_ value: UInt64) -> Int64 {
    Int64(bitPattern: (value &>> 1) ^ (0 &- (value & 1)))
  }
}

extension [UInt8] {
  /// Appends a zigzag varint: of 32-bit and of 64-bit numbers alike, which are the same bytes.
  package mutating func appendVarint(_ value: some FixedWidthInteger & SignedInteger) {
    let wide = Int64(value)
    var rest = UInt64(bitPattern: (wide &<< 1) ^ (wide &>> 63))
    while rest >= 0x80 {
      append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    append(UInt8(truncatingIfNeeded: rest))
  }

  /// Appends `field` behind its length; nil as length -1.
  package mutating func appendVarintSized(_ field: [UInt8]?) {
    guard let field else { return appendVarint(Int32(-1)) }
    appendVarint(field.count)
    append(contentsOf: field)
  }

  package mutating func appendBigEndian(_ value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }
}
