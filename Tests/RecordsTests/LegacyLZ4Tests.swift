import Testing

@testable import Records

@Suite struct LegacyLZ4Tests {
  /// Values of the reference implementation of xxHash.
  @Test(
    arguments: [("", 0x02cc_5d05), ("a", 0x550d_7456), ("abc", 0x32d1_53ff), ("abcd", 0xa364_3705)]
      as [(String, UInt32)])
  func theHashIsXXH32(text: String, expected: UInt32) {
    #expect(LegacyLZ4.xxHash32(Array(text.utf8)[...]) == expected)
  }

  @Test func aRightFrameStaysAsItIs() {
    let frame = compress(Noise.bytes(1000, seed: 1), .lz4)
    #expect(frame.withUnsafeBytes { LegacyLZ4.mended($0) } == frame)
  }

  @Test func whatIsNoFrameStaysAsItIs() {
    for bytes in [[], [4, 0x22, 0x4d, 0x18], Noise.bytes(40, seed: 2)] as [[UInt8]] {
      #expect(bytes.withUnsafeBytes { LegacyLZ4.mended($0) } == bytes)
    }
  }
}
