package import Primitives

/// Reads fields from memory that someone else sent.
///
/// The first thing that does not fit is kept in `failure`, and the reader jumps to the end: every later read finds nothing
/// and gives zero or empty at once, so that decoders need not check each field. Positions are counted from the start of the
/// memory. No count and no length is believed before it has been held against the bytes that remain.
package struct Reader {
  @usableFromInline let base: UnsafeRawPointer
  @usableFromInline let end: Int
  /// How many bytes the arrays still to come may take.
  @usableFromInline var budget: Int
  /// The distance of the next byte from the start.
  package internal(set) var position: Int
  /// What went wrong first; nil while all is well.
  package internal(set) var failure: DecodeError?

  /// - Parameters:
  ///   - bytes: must outlive the reader.
  ///   - allocationBudgetBytes: what all decoded arrays together may take; without it, what suits the size of `bytes`.
  @inlinable package init(_ bytes: UnsafeRawBufferPointer, allocationBudgetBytes: Int? = nil) {
    base = bytes.baseAddress ?? Self.nowhere
    end = bytes.count
    position = 0
    failure = nil
    budget = allocationBudgetBytes ?? Self.defaultBudgetBytes(for: bytes.count)
  }

  /// Stands in for the address of no bytes at all; never read from.
  @usableFromInline static var nowhere: UnsafeRawPointer { UnsafeRawPointer(bitPattern: 1).unsafelyUnwrapped }

  /// Sixteen times the bytes and 64 KiB, at most 256 MiB.
  @inlinable package static func defaultBudgetBytes(for byteCount: Int) -> Int {
    byteCount >= 16 << 20 ? 256 << 20 : min(byteCount &* 16 &+ 65_536, 256 << 20)
  }

  /// How many bytes are left; none after a failure.
  @inlinable @inline(__always) package var remaining: Int { end &- position }

  /// Notes what went wrong, unless something did before, and leaves nothing to read.
  @inline(never) @usableFromInline mutating func fail(_ error: DecodeError) {
    if failure == nil { failure = error }
    position = end
    budget = 0
  }
}

// MARK: - Fixed widths

extension Reader {
  @inlinable @inline(__always)
  mutating func fixed<Value: FixedWidthInteger>(_ type: Value.Type) -> Value {
    guard remaining >= MemoryLayout<Value>.size else {
      fail(.truncated)
      return 0
    }
    defer { position &+= MemoryLayout<Value>.size }
    return base.bigEndian(type, at: position)
  }

  @inlinable package mutating func int8() -> Int8 { fixed(Int8.self) }
  @inlinable package mutating func int16() -> Int16 { fixed(Int16.self) }
  @inlinable package mutating func int32() -> Int32 { fixed(Int32.self) }
  @inlinable package mutating func int64() -> Int64 { fixed(Int64.self) }
  @inlinable package mutating func uint16() -> UInt16 { fixed(UInt16.self) }
  @inlinable package mutating func uint32() -> UInt32 { fixed(UInt32.self) }
  @inlinable package mutating func float64() -> Double { Double(bitPattern: fixed(UInt64.self)) }
  /// Any byte but 0 is true.
  @inlinable package mutating func bool() -> Bool { fixed(UInt8.self) != 0 }
  @inlinable package mutating func errorCode() -> ErrorCode { ErrorCode(rawValue: fixed(Int16.self)) }
  @inlinable package mutating func uuid() -> UUID { UUID(high: fixed(UInt64.self), low: fixed(UInt64.self)) }

  /// The byte in front of a struct that may be null: negative for null.
  @inlinable package mutating func isPresent() -> Bool { fixed(Int8.self) >= 0 && failure == nil }
}

// MARK: - Lengths

extension Reader {
  /// Seven bits a byte, lowest first; at most 32 bits in five bytes.
  @inlinable package mutating func unsignedVarint() -> UInt32 {
    guard position < end else {
      fail(.truncated)
      return 0
    }
    let first = base.load(fromByteOffset: position, as: UInt8.self)
    if first < 0x80 {
      position &+= 1
      return UInt32(truncatingIfNeeded: first)
    }
    return longVarint()
  }

  @usableFromInline mutating func longVarint() -> UInt32 {
    var value: UInt64 = 0
    for index in 0..<5 {
      guard position < end else {
        fail(.truncated)
        return 0
      }
      let byte = base.load(fromByteOffset: position, as: UInt8.self)
      position &+= 1
      value |= UInt64(byte & 0x7f) << UInt64(7 * index)
      if byte < 0x80 {
        guard value <= UInt64(UInt32.max) else { break }
        return UInt32(truncatingIfNeeded: value)
      }
    }
    fail(.badVarint)
    return 0
  }

  /// The length of a string: an int16, or a varint of one more. -1 for null.
  @inlinable @inline(__always) mutating func stringLength(compact: Bool) -> Int {
    compact ? Int(unsignedVarint()) &- 1 : Int(int16())
  }

  /// The length of bytes, or the count of an array: an int32, or a varint of one more. -1 for null.
  @inlinable @inline(__always) mutating func longLength(compact: Bool) -> Int {
    compact ? Int(unsignedVarint()) &- 1 : Int(int32())
  }

  /// Steps over `length` bytes and gives their start; nil, with a failure noted, where there are not so many.
  @inlinable @inline(__always) mutating func take(_ length: Int) -> Int? {
    guard length >= 0, length <= remaining else {
      fail(length < 0 ? .badLength : .truncated)
      return nil
    }
    defer { position &+= length }
    return position
  }
}

// MARK: - Variable lengths

extension Reader {
  /// The longest string of the protocol: what an int16 can tell, for compact strings too.
  @usableFromInline static var stringBytesMax: Int { 32_767 }

  /// Bytes that are not UTF-8 are replaced by U+FFFD.
  @inlinable package mutating func string(compact: Bool) -> String {
    let length = stringLength(compact: compact)
    if length == -1 { return missing("") }
    return string(length: length)
  }

  /// - Parameter allowed: whether this version allows null.
  @inlinable package mutating func nullableString(compact: Bool, allowed: Bool = true) -> String? {
    let length = stringLength(compact: compact)
    if length == -1 { return allowed ? nil : missing("") }
    return string(length: length)
  }

  @inlinable @inline(__always) mutating func string(length: Int) -> String {
    guard length <= Self.stringBytesMax else {
      fail(.badLength)
      return ""
    }
    guard let start = take(length) else { return "" }
    return String(decoding: UnsafeRawBufferPointer(start: base + start, count: length), as: UTF8.self)
  }

  @inlinable package mutating func bytes(compact: Bool) -> [UInt8] {
    let length = longLength(compact: compact)
    if length == -1 { return missing([]) }
    return bytes(length: length)
  }

  /// - Parameter allowed: whether this version allows null.
  @inlinable package mutating func nullableBytes(compact: Bool, allowed: Bool = true) -> [UInt8]? {
    let length = longLength(compact: compact)
    if length == -1 { return allowed ? nil : missing([]) }
    return bytes(length: length)
  }

  @inlinable mutating func bytes(length: Int) -> [UInt8] {
    guard let start = take(length) else { return [] }
    return Array(UnsafeRawBufferPointer(start: base + start, count: length))
  }

  /// Records are not copied: the payload says where they are.
  @inlinable package mutating func records(compact: Bool) -> RecordsPayload {
    let length = longLength(compact: compact)
    if length == -1 { return .null }
    guard let start = take(length) else { return .null }
    return .slice(start..<(start &+ length))
  }

  @inline(never) @usableFromInline mutating func missing<Value>(_ empty: Value) -> Value {
    // After a failure a compact length of 0 only means that nothing was read.
    fail(.unexpectedNull)
    return empty
  }
}
