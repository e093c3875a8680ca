import Primitives
import Records
import Testing

/// Records that are not what they say, in a batch that is intact otherwise.
@Suite struct RecordWalkTests {
  /// A batch of hand-made record bodies, each behind its right length.
  private func batch(_ bodies: [[UInt8]], count: Int32? = nil, trailing: [UInt8] = []) -> [UInt8] {
    var records: [UInt8] = []
    for body in bodies { records.appendVarintSized(body) }
    return raw(records + trailing, count: count ?? Int32(bodies.count))
  }

  private func raw(_ records: [UInt8], count: Int32, codec: CompressionType = .none) -> [UInt8] {
    var header = RecordBatchHeader(
      attributes: BatchAttributes(compression: codec), baseTimestamp: arrival, maxTimestamp: arrival,
      lastOffsetDelta: count - 1, recordCount: count)
    return compress(records, codec).withUnsafeBytes { header.assemble(records: $0) }
  }

  // attributes, timestamp delta, offset delta, key length, value length, header count
  private let good: [UInt8] = [0, 0, 0, 1, 1, 0]

  @Test func theHandMadeRecordIsGood() {
    #expect(rejection(of: batch([good])) == nil)
    #expect(rejection(of: batch([good, [0, 0, 2, 2, 7, 1, 2, 2, 7, 1]])) == nil)
  }

  @Test func malformedRecordsAreRefused() {
    let wrong: [(String, [UInt8])] = [
      ("no fields", []),
      ("attributes alone", [0]),
      ("no headers", [0, 0, 0, 1, 1]),
      ("key longer than the record", [0, 0, 0, 8, 1, 0]),
      ("key length -2", [0, 0, 0, 3, 1, 0]),
      ("value longer than the record", [0, 0, 0, 1, 20, 0]),
      ("value length -2", [0, 0, 0, 1, 3, 0]),
      ("smallest length", [0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 1, 0]),
      ("header count -1", [0, 0, 0, 1, 1, 1]),
      ("more headers than bytes", [0, 0, 0, 1, 1, 2, 0]),
      ("2^31 - 1 headers", [0, 0, 0, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f]),
      ("header key null", [0, 0, 0, 1, 1, 2, 1, 0]),
      ("header key longer than the record", [0, 0, 0, 1, 1, 2, 40, 0]),
      ("header value length -2", [0, 0, 0, 1, 1, 2, 0, 3]),
      ("bytes behind the headers", [0, 0, 0, 1, 1, 0, 0]),
      ("endless varint", [0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 1, 1, 0]),
    ]
    for (name, body) in wrong {
      // With a record behind it, so that a field that is too long has bytes to take.
      let made = batch([body, [0, 0, 2, 1, 1, 0]])
      #expect(rejection(of: made)?.code == .invalidRecord, "\(name)")
      #expect(throws: RecordError.malformedRecord, "\(name)") { try SampleRecord.all(in: made) }
    }
  }

  @Test(arguments: CompressionType.allCases) func countsAndRestsAreRefused(codec: CompressionType) {
    var two: [UInt8] = []
    two.appendVarintSized(good)
    two.appendVarintSized([0, 0, 2, 1, 1, 0])
    #expect(rejection(of: raw(two, count: 2, codec: codec)) == nil)
    #expect(rejection(of: raw(two, count: 1, codec: codec))?.code == .invalidRecord)
    #expect(rejection(of: raw(two, count: 3, codec: codec))?.code == .invalidRecord)
    #expect(rejection(of: raw(two, count: .max, codec: codec))?.code == .invalidRecord)
    #expect(rejection(of: raw(two + [0], count: 2, codec: codec))?.code == .invalidRecord)
  }

  @Test func recordLengthsAreHeldToTheBatch() {
    for length: [UInt8] in [[1], [0], [14], [0xfe, 0xff, 0xff, 0xff, 0x0f], [0xff, 0xff, 0xff, 0xff, 0x0f], [0x80]] {
      #expect(rejection(of: raw(length + good, count: 1))?.code == .invalidRecord, "\(length)")
    }
  }

  @Test func offsetDeltasCountFromZero() {
    for delta: UInt8 in [1, 2, 4] {
      #expect(rejection(of: batch([[0, 0, delta, 1, 1, 0]]))?.code == .invalidRecord)
    }
    #expect(rejection(of: batch([good, good]))?.code == .invalidRecord)
  }
}
