import Primitives
import Testing

@Suite struct CRC32CTests {
  @Test func knownValue() {
    let text = Array("123456789".utf8)
    #expect(text.withUnsafeBytes { CRC32C.checksum($0) } == 0xe306_9283)
  }

  @Test func fastAndPortableAgreeAtEveryLength() {
    var state: UInt64 = 88_172_645_463_325_252
    let bytes = (0..<10_000).map { _ -> UInt8 in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return UInt8(truncatingIfNeeded: state)
    }
    bytes.withUnsafeBytes { all in
      for length in Array(0..<300) + [3071, 3072, 3073, 6143, 6144, 6150, 9999, 10_000] {
        let piece = UnsafeRawBufferPointer(rebasing: all[..<length])
        #expect(CRC32C.checksum(piece) == CRC32C.portableChecksum(piece), "length \(length)")
      }
    }
  }

  @Test func continuesFromAPiece() {
    let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    bytes.withUnsafeBytes { all in
      let first = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: all[..<3500]))
      let both = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: all[3500...]), continuing: first)
      #expect(both == CRC32C.checksum(all))
    }
  }
}
