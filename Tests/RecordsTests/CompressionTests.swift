import Primitives
import Records
import Testing

@Suite struct CompressionTests {
  static let texts: [[UInt8]] = [
    Array("a".utf8), Array(repeating: 7, count: 200_000), Noise.bytes(70_000, seed: 5),
    (0..<150_000).map { UInt8(truncatingIfNeeded: $0 / 7 &* 31) },
  ]

  @Test(arguments: CompressionType.allCases) func roundTrip(codec: CompressionType) throws {
    let compressor = Compressor()
    let decompressor = Decompressor()
    for text in Self.texts {
      for level: Int32? in [nil, 1, 9, 99, -5] {
        let packed = compress(text, codec, level: level, compressor)
        #expect(try decompress(packed, codec, byteCountMax: text.count, decompressor) == text)
      }
    }
  }

  @Test(arguments: CompressionType.allCases) func stopsAtTheLimit(codec: CompressionType) throws {
    let packed = compress(Self.texts[1], codec)
    #expect(throws: RecordError.tooLarge(byteCountMax: 199_999)) {
      try decompress(packed, codec, byteCountMax: 199_999)
    }
    #expect(throws: RecordError.tooLarge(byteCountMax: 0)) { try decompress(packed, codec, byteCountMax: 0) }
  }

  @Test(arguments: [CompressionType.gzip, .snappy, .lz4, .zstd])
  func refusesEveryCutAndWhatIsNone(codec: CompressionType) throws {
    let packed = compress(Array("the same words, the same words, the same words".utf8), codec)
    let decompressor = Decompressor()
    // Java's framing may end at a block, and after its header.
    let shortest = codec == .snappy ? 17 : 0
    for length in shortest..<packed.count {
      #expect(throws: RecordError.undecodable(codec), "cut to \(length)") {
        try decompress(Array(packed[..<length]), codec, byteCountMax: 1000, decompressor)
      }
    }
    #expect(throws: RecordError.undecodable(codec)) {
      try decompress(Array(repeating: 0xff, count: 64), codec, byteCountMax: 1000, decompressor)
    }
    #expect(throws: RecordError.undecodable(codec)) {
      try decompress(packed + [1, 2, 3], codec, byteCountMax: 1000, decompressor)
    }
  }

  @Test(arguments: [CompressionType.gzip, .lz4, .zstd]) func readsConcatenatedStreams(codec: CompressionType) throws {
    let both = compress([1, 2, 3], codec) + compress([4, 5], codec)
    #expect(try decompress(both, codec, byteCountMax: 5) == [1, 2, 3, 4, 5])
  }

  /// 100 MiB of zeros in a few KiB must cost neither the memory nor the time of 100 MiB.
  @Test(arguments: [CompressionType.gzip, .snappy, .lz4, .zstd]) func bombsAreStopped(codec: CompressionType) throws {
    let bomb = compress(Array(repeating: 0, count: 100 << 20), codec)
    let output = OutputBuffer()
    #expect(throws: RecordError.tooLarge(byteCountMax: 1 << 20)) {
      try bomb.withUnsafeBytes {
        try Decompressor().decompress($0, codec, into: output, byteCountMax: 1 << 20)
      }
    }
    #expect(output.capacity <= 4 << 20)
  }

  @Test func snappyIsReadRawAndFramed() throws {
    // 5 bytes, then a literal of 5.
    let raw: [UInt8] = [5, 16] + Array("hello".utf8)
    #expect(try decompress(raw, .snappy, byteCountMax: 5) == Array("hello".utf8))
    let header: [UInt8] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 1, 0, 0, 0, 1, 0, 0, 0]
    let framed = header + [0, 0, 0, 7] + raw + header + [0, 0, 0, 7] + raw
    #expect(try decompress(framed, .snappy, byteCountMax: 10) == Array("hellohello".utf8))
    #expect(compress(Array("hello".utf8), .snappy) == header.bigEndianVersions + [0, 0, 0, 7] + raw)
  }

  /// A framing whose blocks are empty or negative made a reader elsewhere turn for ever.
  @Test func snappyBlocksMustMoveOn() {
    let header: [UInt8] = [0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    for length: [UInt8] in [[0, 0, 0, 0], [0xff, 0xff, 0xff, 0xff], [0x7f, 0xff, 0xff, 0xff], [0, 0, 0]] {
      #expect(throws: RecordError.undecodable(.snappy)) {
        try decompress(header + length + length, .snappy, byteCountMax: 1000)
      }
    }
  }

  /// A raw block of 6 bytes that claims 2 GiB is refused before there is room for it.
  @Test func snappyClaimsAreNotBelieved() {
    let claim: [UInt8] = [0xff, 0xff, 0xff, 0xff, 0x07, 0]
    let output = OutputBuffer()
    #expect(throws: RecordError.undecodable(.snappy)) {
      try claim.withUnsafeBytes {
        try Decompressor().decompress($0, .snappy, into: output, byteCountMax: .max)
      }
    }
    #expect(output.capacity == 512)
  }

  @Test func zstdWindowBeyondTheLimitIsRefused() throws {
    // Magic, no content size, a window of 2^31 bytes, a raw last block of one byte.
    let frame: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x09, 0x00, 0x00, 0x41]
    #expect(throws: RecordError.undecodable(.zstd)) { try decompress(frame, .zstd, byteCountMax: 1000) }
    // The same with a window of 1 MiB is well.
    let small: [UInt8] = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x50, 0x09, 0x00, 0x00, 0x41]
    #expect(try decompress(small, .zstd, byteCountMax: 1000) == [0x41])
  }

  @Test func aContextIsGoodAfterAnError() throws {
    let decompressor = Decompressor()
    for codec in [CompressionType.gzip, .snappy, .lz4, .zstd] {
      let packed = compress(Self.texts[3], codec)
      _ = try? decompress(Array(packed.dropLast(9)), codec, byteCountMax: 1 << 20, decompressor)
      _ = try? decompress(packed, codec, byteCountMax: 100, decompressor)
      #expect(try decompress(packed, codec, byteCountMax: 1 << 20, decompressor) == Self.texts[3])
    }
  }

  /// lz4 keeps what a broken frame's content size promised; the next frame, without one, must not pay for it.
  @Test func aFrameWithASizeLeavesNothingBehind() throws {
    let decompressor = Decompressor()
    let sized = Array([UInt8](hexadecimal: GoldenBatches.lz4)[61...])
    let unsized = Array([UInt8](hexadecimal: GoldenBatches.lz4WithoutSize)[61...])
    let records = Array([UInt8](hexadecimal: GoldenBatches.none)[61...])
    for kept in 8..<sized.count {
      _ = try? decompress(Array(sized[..<kept]), .lz4, byteCountMax: 1000, decompressor)
      #expect(try decompress(unsized, .lz4, byteCountMax: 1000, decompressor) == records)
    }
  }

  @Test func emptyInputIsNoStream() throws {
    #expect(try decompress([], .none, byteCountMax: 0).isEmpty)
    #expect(throws: RecordError.undecodable(.gzip)) { try decompress([], .gzip, byteCountMax: 10) }
  }
}

extension [UInt8] {
  /// A snappy header whose two versions are in the right order of bytes.
  fileprivate var bigEndianVersions: [UInt8] { Array(self[..<8]) + [0, 0, 0, 1, 0, 0, 0, 1] }
}
