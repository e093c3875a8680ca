import Primitives

/// LZ4 frames of message format 0: their writers took the checksum of the frame's descriptor over the magic number too,
/// and readers of that time passed over it. A decoder that looks at it needs the right one.
enum LegacyLZ4 {
  /// `frame` with the checksum of its descriptor put right; unchanged where it is no frame.
  static func mended(_ frame: UnsafeRawBufferPointer) -> [UInt8] {
    var bytes = [UInt8](frame)
    guard bytes.count >= 7, bytes[0..<4].elementsEqual([0x04, 0x22, 0x4d, 0x18]) else { return bytes }
    let flags = bytes[4]
    let descriptorByteCount = 2 + (flags & 0x08 != 0 ? 8 : 0) + (flags & 0x01 != 0 ? 4 : 0)
    let place = 4 + descriptorByteCount
    guard bytes.count > place else { return bytes }
    bytes[place] = UInt8(truncatingIfNeeded: xxHash32(bytes[4..<place]) >> 8)
    return bytes
  }

  /// XXH32 with seed 0 of fewer than 16 bytes.
  static func xxHash32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    let prime2: UInt32 = 2_246_822_519
    let prime3: UInt32 = 3_266_489_917
    let prime4: UInt32 = 668_265_263
    let prime5: UInt32 = 374_761_393
    var hash = prime5 &+ UInt32(truncatingIfNeeded: bytes.count)
    var rest = bytes
    while rest.count >= 4 {
      let word = rest.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
      hash = rotated(hash &+ word &* prime3, by: 17) &* prime4
      rest = rest.dropFirst(4)
    }
    for byte in rest { hash = rotated(hash &+ UInt32(byte) &* prime5, by: 11) &* 2_654_435_761 }
    hash = (hash ^ hash >> 15) &* prime2
    hash = (hash ^ hash >> 13) &* prime3
    return hash ^ hash >> 16
  }

  private static func rotated(_ value: UInt32, by count: UInt32) -> UInt32 { value << count | value >> (32 - count) }
}

extension [UInt8] {
  /// `withUnsafeBytes` with the errors of records kept.
  func withTypedBytes(_ body: (UnsafeRawBufferPointer) throws(RecordError) -> Void) throws(RecordError) {
    var outcome: Result<Void, RecordError> = .success(())
    withUnsafeBytes { bytes in outcome = Result { () throws(RecordError) in try body(bytes) } }
    try outcome.get()
  }
}
