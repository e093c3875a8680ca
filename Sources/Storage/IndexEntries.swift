internal import Primitives

/// `.index`: the last offset of a batch and where in the segment that batch begins. In the file: the offset relative to
/// the segment's base, i32, and the position, i32.
struct OffsetIndexEntry: IndexEntry, Hashable {
  static let byteCount = 8
  let offset: Offset
  let position: Int32
  var key: Int64 { offset.value }

  init(offset: Offset, position: Int32) {
    self.offset = offset
    self.position = position
  }

  init(reading bytes: UnsafeRawPointer, baseOffset: Offset) {
    offset = baseOffset.advanced(by: Int64(bytes.bigEndian(Int32.self, at: 0)))
    position = bytes.bigEndian(Int32.self, at: 4)
  }

  func store(into bytes: UnsafeMutableRawPointer, baseOffset: Offset) {
    bytes.storeBigEndian(Int32(truncatingIfNeeded: offset.value &- baseOffset.value), at: 0)
    bytes.storeBigEndian(position, at: 4)
  }
}

/// `.timeindex`: the largest timestamp up to here, and the last offset of the batch that brought it. In the file: the
/// timestamp, i64, and the offset relative to the segment's base, i32.
struct TimeIndexEntry: IndexEntry, Hashable {
  static let byteCount = 12
  let timestamp: Timestamp
  let offset: Offset
  var key: Int64 { timestamp.milliseconds }

  init(timestamp: Timestamp, offset: Offset) {
    self.timestamp = timestamp
    self.offset = offset
  }

  init(reading bytes: UnsafeRawPointer, baseOffset: Offset) {
    timestamp = Timestamp(milliseconds: bytes.bigEndian(Int64.self, at: 0))
    offset = baseOffset.advanced(by: Int64(bytes.bigEndian(Int32.self, at: 8)))
  }

  func store(into bytes: UnsafeMutableRawPointer, baseOffset: Offset) {
    bytes.storeBigEndian(timestamp.milliseconds, at: 0)
    bytes.storeBigEndian(Int32(truncatingIfNeeded: offset.value &- baseOffset.value), at: 8)
  }
}
