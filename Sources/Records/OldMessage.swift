internal import CCompression
package import Primitives

/// One entry of a message set, formats 0 and 1: what brokers stored before Kafka 0.11. A compressed one wraps a message
/// set of its own.
package struct OldMessage: Hashable, Sendable {
  /// Offset and size, in front of what the size counts.
  package static let overheadByteCount = 12
  /// Bytes of the smallest message there can be, overhead included: format 0, no key, no value.
  package static let byteCountMin = overheadByteCount + 14

  /// The message's offset; of a wrapper that of the last message in it.
  package let offset: Offset
  package let magic: Int8
  package let attributes: BatchAttributes
  /// In milliseconds; `.none` in format 0, which has none.
  package let timestamp: Timestamp
  /// Ranges over the entry; nil for null.
  package let key: Range<Int>?
  package let value: Range<Int>?

  /// Reads the entry that `bytes` are, size and fields checked, the checksum not.
  ///
  /// Throws `.truncatedBatch` where there are fewer bytes than an entry has, `.malformedRecord` where the fields do not
  /// fill the entry.
  package init(reading bytes: UnsafeRawBufferPointer) throws(RecordError) {
    guard bytes.count >= Self.byteCountMin, let base = bytes.baseAddress else { throw .truncatedBatch }
    offset = Offset(base.bigEndian(Int64.self, at: 0))
    magic = base.bigEndian(Int8.self, at: 16)
    guard Int(base.bigEndian(Int32.self, at: 8)) == bytes.count - Self.overheadByteCount, magic == 0 || magic == 1
    else { throw .malformedRecord }
    attributes = BatchAttributes(rawValue: Int16(base.bigEndian(Int8.self, at: 17)))
    var position = 18
    if magic == 1 {
      guard bytes.count >= Self.byteCountMin + 8 else { throw .truncatedBatch }
      timestamp = Timestamp(milliseconds: base.bigEndian(Int64.self, at: 18))
      position += 8
    } else {
      timestamp = .none
    }
    key = try Self.field(bytes, &position)
    value = try Self.field(bytes, &position)
    guard position == bytes.count else { throw .malformedRecord }
  }

  private static func field(
    _ bytes: UnsafeRawBufferPointer, _ position: inout Int
  ) throws(RecordError) -> Range<Int>? {
    guard bytes.count - position >= 4, let base = bytes.baseAddress else { throw .malformedRecord }
    let length = Int(base.bigEndian(Int32.self, at: position))
    position += 4
    if length == -1 { return nil }
    guard length >= 0, length <= bytes.count - position else { throw .malformedRecord }
    defer { position += length }
    return position..<position + length
  }

  /// Whether the checksum in `bytes`, a whole entry, stands.
  package static func checksumMatches(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= byteCountMin, let base = bytes.baseAddress else { return false }
    return ottla_crc32(base + 16, bytes.count - 16) == base.bigEndian(UInt32.self, at: overheadByteCount)
  }
}

/// Calls `body` with each message of `entry`, a whole entry of a message set, with its offset and timestamp: the message
/// itself, or those that it wraps. The ranges of a message are over the memory passed with it, which is good only until
/// `body` returns.
///
/// Throws where a wrapped set decompresses to more than `byteCountMax` bytes or is malformed, or where the offsets in it
/// do not grow up to the wrapper's.
package func forEachOldMessage(
  in entry: UnsafeRawBufferPointer, decompressor: Decompressor, byteCountMax: Int,
  body: (OldMessage, Offset, Timestamp, UnsafeRawBufferPointer) throws(RecordError) -> Void
) throws(RecordError) {
  let outer = try OldMessage(reading: entry)
  guard let codec = outer.attributes.compression else { throw .unknownCompression }
  guard codec != .none else { return try body(outer, outer.offset, outer.timestamp, entry) }
  guard let wrapped = outer.value else { throw .malformedRecord }
  let payload = UnsafeRawBufferPointer(rebasing: entry[wrapped])
  try decompressor.withScratch { scratch throws(RecordError) in
    if codec == .lz4, outer.magic == 0 {
      let mended = LegacyLZ4.mended(payload)
      try mended.withTypedBytes { bytes throws(RecordError) in
        try decompressor.decompress(bytes, codec, into: scratch, byteCountMax: byteCountMax)
      }
    } else {
      try decompressor.decompress(payload, codec, into: scratch, byteCountMax: byteCountMax)
    }
    try walk(scratch.bytes, outer, body)
  }
}

private func walk(
  _ memory: UnsafeRawBufferPointer, _ outer: OldMessage,
  _ body: (OldMessage, Offset, Timestamp, UnsafeRawBufferPointer) throws(RecordError) -> Void
) throws(RecordError) {
  // Format 1 counts the messages of a wrapper from 0; the wrapper's own offset is that of the last one.
  var shift: Int64 = 0
  if outer.magic == 1 {
    var last: Int64?
    try forEachEntry(in: memory) { bytes throws(RecordError) in last = try OldMessage(reading: bytes).offset.value }
    guard let last else { throw .wrongRecordCount }
    shift = outer.offset.value &- last
  }
  var due = Int64.min
  try forEachEntry(in: memory) { bytes throws(RecordError) in
    let message = try OldMessage(reading: bytes)
    let offset = message.offset.value &+ shift
    guard offset >= due, offset <= outer.offset.value, message.attributes.compression == CompressionType.none else {
      throw .offsetsOutOfOrder
    }
    due = offset &+ 1
    let timestamp = outer.attributes.isLogAppendTime ? outer.timestamp : message.timestamp
    try body(message, Offset(offset), timestamp, bytes)
  }
  guard due == outer.offset.value &+ 1 else { throw .offsetsOutOfOrder }
}

private func forEachEntry(
  in memory: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) throws(RecordError) -> Void
) throws(RecordError) {
  var position = 0
  while position < memory.count {
    guard memory.count - position >= OldMessage.byteCountMin, let base = memory.baseAddress else {
      throw .truncatedBatch
    }
    let byteCount = Int(base.bigEndian(Int32.self, at: position + 8)) + OldMessage.overheadByteCount
    guard byteCount >= OldMessage.byteCountMin, byteCount <= memory.count - position else { throw .truncatedBatch }
    try body(UnsafeRawBufferPointer(rebasing: memory[position..<position + byteCount]))
    position += byteCount
  }
}
