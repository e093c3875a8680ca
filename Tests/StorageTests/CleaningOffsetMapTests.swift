import Primitives
import Testing

@testable import Storage

@Suite struct CleaningOffsetMapTests {
  private func hash(_ hasher: KeyHasher, _ key: [UInt8]) -> KeyHash { key.withUnsafeBytes { hasher.hash($0) } }

  /// The first vectors that the authors of SipHash publish for 128 bits: key 00 01 … 0f; nothing, 00, 00 01 … 07.
  @Test func hashesAsSipHashDoes() {
    let hasher = KeyHasher(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908)
    func bytes(_ hash: KeyHash) -> [UInt8] {
      withUnsafeBytes(of: (hash.low.littleEndian, hash.high.littleEndian)) { Array($0) }
    }
    #expect(
      bytes(hash(hasher, [])) == [
        0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d, 0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93,
      ])
    #expect(
      bytes(hash(hasher, [0])) == [
        0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34, 0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45,
      ])
  }

  @Test func everyByteAndTheSecretCount() {
    var seen: Set<KeyHash> = []
    for seed in 0..<3 as Range<UInt64> {
      for length in 0..<40 {
        #expect(seen.insert(hash(KeyHasher(seed, 1), [UInt8](repeating: 0, count: length))).inserted)
        for place in 0..<length {
          var key = [UInt8](repeating: 0, count: length)
          key[place] = 1
          #expect(seen.insert(hash(KeyHasher(seed, 1), key)).inserted)
        }
      }
    }
  }

  @Test func holdsTheNewestOffsetOfEachKey() {
    var random = SeededGenerator(5)
    let hasher = KeyHasher(1, 2)
    let map = OffsetMap(CleaningLimits(mapByteCountMax: 1 << 20), keyCountMax: 3000)
    var model: [Int: Int64] = [:]
    for offset in 0..<20_000 as Range<Int64> {
      let key = Int.random(in: 0..<3000, using: &random)
      model[key] = offset
      #expect(map.put(hash(hasher, Array("\(key)".utf8)), Offset(offset)))
    }
    #expect(map.count == model.count)
    for key in 0..<4000 { #expect(map.latest(hash(hasher, Array("\(key)".utf8)))?.value == model[key]) }
  }

  @Test(arguments: [0, 24, 100, 1000, 24 * 1000]) func staysWithinItsMemory(byteCount: Int) {
    let map = OffsetMap(CleaningLimits(mapByteCountMax: byteCount), keyCountMax: 1 << 40)
    let hasher = KeyHasher(1, 2)
    var count = 0
    while map.put(hash(hasher, Array("\(count)".utf8)), Offset(Int64(count))) { count += 1 }
    #expect(map.byteCount <= max(24, byteCount))
    #expect(count == map.countMax && count <= byteCount * 9 / 240)
    // A key that is known still gets its newer offset.
    if count > 0 { #expect(map.put(hash(hasher, Array("0".utf8)), Offset(99_999))) }
    #expect(map.latest(hash(hasher, Array("none".utf8))) == nil)
  }

  @Test func takesNoMoreThanTheKeysNeed() {
    let map = OffsetMap(CleaningLimits(mapByteCountMax: 1 << 30), keyCountMax: 100)
    #expect(map.byteCount <= 24 * 113)
    #expect(map.countMax >= 100)
  }
}
