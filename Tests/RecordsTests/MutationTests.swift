import Primitives
import Records
import Testing

/// Damaged batches, their checksum right or not: an answer, never a trap, and what is accepted is sound.
@Suite struct MutationTests {
  private func mutated(_ batch: [UInt8], _ noise: inout Noise) -> [UInt8] {
    var bytes = batch
    for _ in 0...noise.below(4) {
      let place = noise.below(bytes.count)
      switch noise.below(5) {
      case 0: bytes[place] ^= 1 << UInt8(noise.below(8))
      case 1: bytes[place] = [0, 1, 0x7f, 0x80, 0xff][noise.below(5)]
      case 2: bytes[place] = UInt8(truncatingIfNeeded: noise.next() >> 20)
      case 3 where bytes.count > 62: bytes.remove(at: max(61, place))
      default: bytes.insert(UInt8(truncatingIfNeeded: noise.next() >> 9), at: max(61, place))
      }
    }
    // Most of the time as a malicious producer would: with the right length and checksum.
    if noise.below(8) > 0 {
      bytes.patch(Int32(bytes.count - 12), at: 8)
      bytes.patch(Int8(2), at: 16)
      bytes.patch(Int64(0), at: 0)
      bytes.reseal()
    }
    return bytes
  }

  @Test func mutationsGetAnAnswer() {
    var noise = Noise(seed: 77)
    let validator = BatchValidator()
    let decompressor = Decompressor()
    let strict = AppendRules(
      isCompacted: true, timestampType: .create, beforeMaxMs: 10_000, targetCompression: .lz4, produceVersion: 9)
    var accepted = 0
    for round in 0..<5_000 {
      let golden = GoldenBatchTests.all[round % GoldenBatchTests.all.count].batch
      let bytes = mutated(golden, &noise)
      var walked: Int32 = 0
      let isReadable: Void? = try? bytes.eachRecord(decompressor, byteCountMax: 100_000) {
        record, memory throws(RecordError) in
        try record.forEachHeader(in: memory) { (_, _) throws(RecordError) in }
        walked += 1
        return true
      }
      _ = try? validate(bytes, rules: strict, validator)
      guard let validated = try? validate(bytes, rules: AppendRules(decompressedBytesMax: 100_000, produceVersion: 9))
      else { continue }
      accepted += 1
      #expect(isReadable != nil && walked == validated.recordCount)
      guard case .rewritten(let written) = validated.bytes else { continue }
      #expect(rejection(of: written) == nil)
    }
    // Mutations of keys and values are sound batches: the test must reach both sides.
    #expect(accepted > 300 && accepted < 4_700)
  }

  /// Codecs alone, where mutations are not filtered by anything.
  @Test(arguments: [CompressionType.gzip, .snappy, .lz4, .zstd]) func codecsGetAnAnswer(codec: CompressionType) {
    var noise = Noise(seed: 78)
    let decompressor = Decompressor()
    let packed = compress((0..<3000).map { UInt8(truncatingIfNeeded: $0 / 5) }, codec)
    for _ in 0..<2000 {
      var bytes = packed
      for _ in 0...noise.below(3) { bytes[noise.below(bytes.count)] = UInt8(truncatingIfNeeded: noise.next() >> 8) }
      let unpacked = try? decompress(bytes, codec, byteCountMax: 10_000, decompressor)
      #expect((unpacked?.count ?? 0) <= 10_000)
    }
  }
}
