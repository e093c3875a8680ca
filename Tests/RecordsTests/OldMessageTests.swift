import Primitives
import Testing

@testable import Records

/// Messages of the formats 0 and 1, made by kafka-python's LegacyRecordBatchBuilder: offsets 40 to 42, values "one", "two",
/// "three" (without compression the first alone); wrappers have the offset that a broker gives them. The LZ4 frame of
/// format 0 has another descriptor checksum than LZ4's, as of its time.
@Suite struct OldMessageTests {
  static let golden: [(magic: Int8, codec: CompressionType, hex: String)] = [
    (
      0, .none,
      "0000000000000028000000143dd6e07d0000000000036b3430000000036f6e65"
    ),
    (
      0, .gzip,
      "000000000000002a0000005dcdbef7950001ffffffff0000004f1f8b080062cc0b6b02ff636000030d2016b1bdf6a016cc63"
        + "ce36310051f979a91069064d90fcac5b6f4a60f28620aaa43c1f2aaf05c462cbfbf6bbc2e48d80146b4946516a2a002a5a70"
        + "e262000000"
    ),
    (
      0, .snappy,
      "000000000000002a00000078fcfe66b40002ffffffff0000006a82534e415050590000000001000000010000005662000009"
        + "012028000000143dd6e07d050f28036b3430000000036f6e6505100800002901200c9adaec7405100c036b34310120087477"
        + "6f05102c00002a00000016a78ebf4500010130036b3432000000057468726565"
    ),
    (
      0, .lz4,
      "000000000000002a0000007a295158b30003ffffffff0000006c04224d1868406200000000000000c5550000001200010091"
        + "28000000143dd6e07d0f00b1036b3430000000036f6e651000300000292000409adaec740d005000036b343107003174776f"
        + "1000b000002a00000016a78ebf450d00002000a03200000005746872656500000000"
    ),
    (
      1, .none,
      "00000000000000280000001c33042c3e01000000018bcfe56800000000036b3430000000036f6e65"
    ),
    (
      1, .gzip,
      "000000000000002a0000007067fcb79b01010000000000000000ffffffff0000005a1f8b080062cc0b6b02ff636080031963"
        + "161d3b462083b1fbfcd30c900873b6890188cacf4b85aa0149cbe87efe7d1fae8e11a2ce10449594e743d53101b19c95c966"
        + "5eb83a26883a2320c55a9251949a0a006dff9b887a000000"
    ),
    (
      1, .snappy,
      "000000000000002a0000008d5420163c01020000000000000000ffffffff0000007782534e41505059000000000100000001"
        + "000000637a00001901341c33042c3e01000000018bcfe568011828036b3430000000036f6e65010f011b1c0000001c2df3fb"
        + "df0109052801090c036b343101280874776f01252c000000020000001e3a34b30d011f0528011230036b3432000000057468"
        + "726565"
    ),
    (
      1, .lz4,
      "000000000000002a000000907249412101030000000000000000ffffffff0000007a04224d1868407a00000000000000c863"
        + "00000016000100e01c33042c3e01000000018bcfe5681800b0036b3430000000036f6e650f00001b00850000001c2df3fbdf"
        + "280000090040036b343128003174776f2600b00000020000001e3a34b30d1f00015000001200d0036b343200000005746872"
        + "656500000000"
    ),
  ]

  private static func bytes(_ hex: String) -> [UInt8] {
    let digits = Array(hex)
    return stride(from: 0, to: digits.count, by: 2).compactMap { UInt8(String(digits[$0...$0 + 1]), radix: 16) }
  }

  private static func walk(
    _ entry: [UInt8], byteCountMax: Int = 1 << 20
  ) throws(RecordError) -> [(offset: Int64, timestamp: Int64, key: String, value: String)] {
    var found: [(offset: Int64, timestamp: Int64, key: String, value: String)] = []
    try entry.withTypedBytes { bytes throws(RecordError) in
      try forEachOldMessage(in: bytes, decompressor: Decompressor(), byteCountMax: byteCountMax) {
        message, offset, timestamp, memory in
        let key = message.key.map { String(decoding: memory[$0], as: UTF8.self) } ?? "null"
        let value = message.value.map { String(decoding: memory[$0], as: UTF8.self) } ?? "null"
        found.append((offset.value, timestamp.milliseconds, key, value))
      }
    }
    return found
  }

  @Test(arguments: golden.indices) func whatAnotherWriterMadeIsRead(index: Int) throws {
    let (magic, codec, hex) = Self.golden[index]
    let bytes = Self.bytes(hex)
    #expect(bytes.withUnsafeBytes { OldMessage.checksumMatches($0) })
    let found = try Self.walk(bytes)
    let count = codec == .none ? 1 : 3
    #expect(found.map(\.value) == Array(["one", "two", "three"].prefix(count)))
    #expect(found.map(\.offset) == Array([40, 41, 42].prefix(count)))
    #expect(found.first?.key == "k40")
    let times: [Int64] = magic == 0 ? [-1, -1, -1] : [0, 1, 2].map { 1_700_000_000_000 + $0 }
    #expect(found.map(\.timestamp) == Array(times.prefix(count)))
  }

  @Test(arguments: golden.indices) func everyByteBehindTheSizeIsUnderTheChecksum(index: Int) {
    let bytes = Self.bytes(Self.golden[index].hex)
    for place in 12..<bytes.count {
      var changed = bytes
      changed[place] ^= 0x10
      #expect(!changed.withUnsafeBytes { OldMessage.checksumMatches($0) }, "byte \(place)")
    }
  }

  @Test(arguments: golden.indices) func anythingElseIsAnErrorAndNeverATrap(index: Int) {
    let bytes = Self.bytes(Self.golden[index].hex)
    var noise = Noise(seed: UInt64(index) + 1)
    for _ in 0..<2000 {
      var changed = Array(bytes.prefix(noise.below(4) == 0 ? noise.below(bytes.count + 1) : bytes.count))
      for _ in 0..<noise.below(4) where !changed.isEmpty {
        changed[noise.below(changed.count)] = UInt8(truncatingIfNeeded: noise.next())
      }
      _ = try? Self.walk(changed)
    }
  }

  @Test func aBombEndsAtTheLimit() {
    let bytes = Self.bytes(Self.golden[1].hex)
    #expect(throws: RecordError.tooLarge(byteCountMax: 50)) { try Self.walk(bytes, byteCountMax: 50) }
  }

  @Test(arguments: [41, 43] as [UInt8]) func aWrapperWhoseOffsetIsNotThatOfItsLastMessageIsRefused(offset: UInt8) {
    var bytes = Self.bytes(Self.golden[1].hex)
    bytes[7] = offset
    #expect(throws: RecordError.offsetsOutOfOrder) { try Self.walk(bytes) }
  }
}
