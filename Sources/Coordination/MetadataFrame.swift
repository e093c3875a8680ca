internal import Cluster
internal import Primitives

/// Records that were appended as one unit, as they stand in `metadata.log`:
/// length (u32, of all that follows the checksum), checksum (u32, CRC-32C of the same), first offset (i64),
/// count (u32), then each record's length (u32) and bytes. Big-endian.
struct MetadataFrame: Equatable {
  /// Length and checksum.
  static let headerByteCount = 8
  /// First offset and count.
  static let fixedBodyByteCount = 12

  let firstOffset: Offset
  let records: [MetadataRecord]

  var lastOffset: Offset { firstOffset.advanced(by: Int64(records.count) - 1) }

  /// The frame's bytes; nil when it would be longer than its length field can say.
  func encoded() -> [UInt8]? {
    let buffer = OutputBuffer(capacity: 256)
    buffer.appendBigEndian(UInt32(0))
    buffer.appendBigEndian(UInt32(0))
    buffer.appendBigEndian(firstOffset.value)
    buffer.appendBigEndian(UInt32(truncatingIfNeeded: records.count))
    for record in records {
      let lengthPosition = buffer.end
      buffer.appendBigEndian(UInt32(0))
      record.encode(into: buffer)
      let byteCount = buffer.end - lengthPosition - 4
      (buffer.base + lengthPosition).storeBigEndian(UInt32(truncatingIfNeeded: byteCount), at: 0)
    }
    guard buffer.count <= Int(UInt32.max) else { return nil }
    let body = UnsafeRawBufferPointer(rebasing: buffer.bytes[Self.headerByteCount...])
    buffer.base.storeBigEndian(UInt32(truncatingIfNeeded: body.count), at: 0)
    buffer.base.storeBigEndian(CRC32C.checksum(body), at: 4)
    return [UInt8](buffer.bytes)
  }

  /// Bytes of the whole frame at the start of `bytes` if it is there and its checksum stands; nil otherwise.
  static func intactByteCount(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard bytes.count >= headerByteCount + fixedBodyByteCount, let base = bytes.baseAddress else { return nil }
    let bodyByteCount = Int(base.bigEndian(UInt32.self, at: 0))
    guard bodyByteCount >= fixedBodyByteCount, bodyByteCount <= bytes.count - headerByteCount else { return nil }
    let body = UnsafeRawBufferPointer(start: base + headerByteCount, count: bodyByteCount)
    guard CRC32C.checksum(body) == base.bigEndian(UInt32.self, at: 4) else { return nil }
    return headerByteCount + bodyByteCount
  }

  /// Reads an intact frame. nil when it holds a record that this release does not know, or whose lengths do not add up.
  init?(intact bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Self.headerByteCount + Self.fixedBodyByteCount, let base = bytes.baseAddress else {
      return nil
    }
    let firstOffset = base.bigEndian(Int64.self, at: Self.headerByteCount)
    let count = Int(base.bigEndian(UInt32.self, at: Self.headerByteCount + 8))
    var position = Self.headerByteCount + Self.fixedBodyByteCount
    // Each record has a length and a type at least.
    guard firstOffset >= 0, count > 0, count <= (bytes.count - position) / 6 else { return nil }
    var records: [MetadataRecord] = []
    records.reserveCapacity(count)
    for _ in 0..<count {
      guard bytes.count - position >= 4 else { return nil }
      let byteCount = Int(base.bigEndian(UInt32.self, at: position))
      position += 4
      guard byteCount <= bytes.count - position else { return nil }
      let slice = UnsafeRawBufferPointer(start: base + position, count: byteCount)
      guard let record = MetadataRecord.decode(slice) else { return nil }
      records.append(record)
      position += byteCount
    }
    guard position == bytes.count, !firstOffset.addingReportingOverflow(Int64(count)).overflow else { return nil }
    self.firstOffset = Offset(firstOffset)
    self.records = records
  }

  init(firstOffset: Offset, records: [MetadataRecord]) {
    self.firstOffset = firstOffset
    self.records = records
  }
}

extension OutputBuffer {
  fileprivate func appendBigEndian<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value) {
    reserve(MemoryLayout<Value>.size)
    (base + end).storeBigEndian(value, at: 0)
    end += MemoryLayout<Value>.size
  }
}
