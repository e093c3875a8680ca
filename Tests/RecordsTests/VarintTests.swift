import Records
import Testing

@Suite struct VarintTests {
  private func varint(_ bytes: [UInt8]) throws(RecordError) -> Int32 { try read(bytes) { $0.varintResult } }
  private func varlong(_ bytes: [UInt8]) throws(RecordError) -> Int64 { try read(bytes) { $0.varlongResult } }

  private func read<Value>(
    _ bytes: [UInt8], _ body: (inout ByteCursor) -> Result<Value, RecordError>
  ) throws(RecordError) -> Value {
    let padded = bytes + [0]
    let (result, left) = padded.withUnsafeBytes { raw -> (Result<Value, RecordError>, Int) in
      guard let base = raw.baseAddress else { return (.failure(.malformedRecord), 0) }
      var cursor = ByteCursor(from: base, to: base + bytes.count)
      return (body(&cursor), cursor.remaining)
    }
    let value = try result.get()
    #expect(left == 0)
    return value
  }

  private func encoded(_ value: Int64) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.appendVarint(value)
    return bytes
  }

  @Test func knownBytes() throws {
    for (value, bytes): (Int64, [UInt8]) in [
      (0, [0]), (-1, [1]), (1, [2]), (63, [126]), (-64, [127]), (64, [128, 1]), (8191, [254, 127]),
      (8192, [128, 128, 1]), (Int64(Int32.max), [254, 255, 255, 255, 15]),
      (Int64(Int32.min), [255, 255, 255, 255, 15]),
    ] {
      #expect(encoded(value) == bytes)
      #expect(try varint(bytes) == Int32(value))
      #expect(try varlong(bytes) == value)
    }
    #expect(encoded(.max) == [254] + Array(repeating: 255, count: 8) + [1])
    #expect(encoded(.min) == Array(repeating: 255, count: 9) + [1])
  }

  @Test func roundTrip() throws {
    var noise = Noise(seed: 3)
    for _ in 0..<20_000 {
      let value = Int64(bitPattern: noise.next()) >> Int64(noise.below(64))
      #expect(try varlong(encoded(value)) == value)
      let small = Int32(truncatingIfNeeded: value)
      #expect(try varint(encoded(Int64(small))) == small)
    }
  }

  @Test func cutAndTooLongAreRefused() {
    for length in 0..<10 {
      #expect(throws: RecordError.malformedRecord) { try varlong(Array(repeating: 0xff, count: length)) }
      #expect(throws: RecordError.malformedRecord) { try varint(Array(repeating: 0xff, count: min(length, 5))) }
    }
    #expect(throws: RecordError.malformedRecord) { try varint([0xff, 0xff, 0xff, 0xff, 0x10]) }
    #expect(throws: RecordError.malformedRecord) { try varlong(Array(repeating: 0xff, count: 9) + [2]) }
    #expect(throws: RecordError.malformedRecord) { try varint(Array(repeating: 0x80, count: 5) + [0]) }
  }
}

extension ByteCursor {
  fileprivate var varintResult: Result<Int32, RecordError> {
    mutating get { Result { () throws(RecordError) in try varint() } }
  }
  fileprivate var varlongResult: Result<Int64, RecordError> {
    mutating get { Result { () throws(RecordError) in try varlong() } }
  }
}
