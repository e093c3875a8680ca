package import Primitives

/// One record of a batch, as ranges over the memory it was read from: nothing is copied.
package struct RecordView: Hashable, Sendable {
  /// The record's offset less the batch's base offset.
  package let offsetDelta: Int32
  /// The record's timestamp less the batch's base timestamp, in milliseconds.
  package let timestampDelta: Int64
  /// Unused in format v2: 0.
  package let attributes: Int8
  /// nil for a record without a key.
  package let key: Range<Int>?
  /// nil for a tombstone.
  package let value: Range<Int>?
  package let headerCount: Int32
  /// The headers as they are encoded; `forEachHeader` reads them.
  package let headers: Range<Int>

  @inlinable
  package init(
    offsetDelta: Int32, timestampDelta: Int64, attributes: Int8, key: Range<Int>?, value: Range<Int>?,
    headerCount: Int32, headers: Range<Int>
  ) {
    self.offsetDelta = offsetDelta
    self.timestampDelta = timestampDelta
    self.attributes = attributes
    self.key = key
    self.value = value
    self.headerCount = headerCount
    self.headers = headers
  }

  /// Calls `body` with the key and value of each header, as ranges over `memory`; the value is nil for null. Keys are
  /// UTF-8 that nobody has checked. `memory` is what the record was read from.
  package func forEachHeader(
    in memory: UnsafeRawBufferPointer, _ body: (_ key: Range<Int>, _ value: Range<Int>?) throws(RecordError) -> Void
  ) throws(RecordError) {
    guard let base = memory.baseAddress, headers.lowerBound >= 0, headers.upperBound <= memory.count else { return }
    var cursor = ByteCursor(from: base + headers.lowerBound, to: base + headers.upperBound)
    for _ in 0..<max(headerCount, 0) {
      guard let key = try cursor.sizedField(in: base) else { throw .malformedRecord }
      try body(key, try cursor.sizedField(in: base))
    }
  }
}

extension RecordBatchHeader {
  /// The offset of a record of this batch.
  @inlinable package func offset(of record: RecordView) -> Offset {
    baseOffset.advanced(by: Int64(record.offsetDelta))
  }

  /// The timestamp of a record of this batch: the batch's own where the log's clock set it.
  @inlinable package func timestamp(of record: RecordView) -> Timestamp {
    if attributes.isLogAppendTime { return maxTimestamp }
    return Timestamp(milliseconds: baseTimestamp.milliseconds &+ record.timestampDelta)
  }
}

extension ByteCursor {
  /// A field behind its length, as a range of distances from `base`; nil for length -1.
  @inlinable @inline(__always)
  package mutating func sizedField(in base: UnsafeRawPointer) throws(RecordError) -> Range<Int>? {
    let length = Int(try varint())
    if length == -1 { return nil }
    let start = next - base
    try skip(length)
    return start..<(start &+ length)
  }

  /// The record at the cursor, checked against its own length; ranges are distances from `base`.
  @inlinable
  package mutating func record(in base: UnsafeRawPointer) throws(RecordError) -> RecordView {
    let length = Int(try varint())
    guard length >= 0, length <= remaining else { throw .malformedRecord }
    var body = ByteCursor(from: next, to: next + length)
    let attributes = Int8(bitPattern: try body.byte())
    let timestampDelta = try body.varlong()
    let offsetDelta = try body.varint()
    let key = try body.sizedField(in: base)
    let value = try body.sizedField(in: base)
    let headerCount = try body.varint()
    let headersStart = body.next - base
    try body.skipHeaders(headerCount)
    guard body.remaining == 0 else { throw .malformedRecord }
    next += length
    return RecordView(
      offsetDelta: offsetDelta, timestampDelta: timestampDelta, attributes: attributes, key: key, value: value,
      headerCount: headerCount, headers: headersStart..<(body.next - base))
  }

  /// Steps over `count` headers. A header is two bytes at least, so that a count no bytes stand behind ends at once.
  @inlinable @inline(__always)
  package mutating func skipHeaders(_ count: Int32) throws(RecordError) {
    if count == 0 { return }
    guard count > 0, Int(count) <= remaining / 2 else { throw .malformedRecord }
    for _ in 0..<count {
      try skip(Int(try varint()))
      let length = Int(try varint())
      if length != -1 { try skip(length) }
    }
  }
}
