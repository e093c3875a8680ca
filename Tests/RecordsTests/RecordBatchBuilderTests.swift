import Primitives
import Records
import Testing

@Suite struct RecordBatchBuilderTests {
  /// Builder, then iteration: what went in comes out, with every codec.
  @Test(arguments: CompressionType.allCases) func roundTrip(codec: CompressionType) throws {
    var noise = Noise(seed: 11)
    for round in 0..<30 {
      let records = (0..<(1 + noise.below(40))).map { _ in SampleRecord.random(&noise) }
      let producer = ProducerID(Int64(noise.below(1000)))
      var builder = RecordBatchBuilder(
        compression: codec, producerID: producer, producerEpoch: ProducerEpoch(3), baseSequence: 7,
        isTransactional: round % 2 == 0)
      for record in records { builder.append(record) }
      let batch = builder.build(baseOffset: Offset(500), leaderEpoch: LeaderEpoch(4))
      let header = try #require(batch.withUnsafeBytes { RecordBatchHeader(reading: $0) })
      #expect(header.totalByteCount == batch.count)
      #expect(batch.withUnsafeBytes { header.checksumMatches($0) })
      #expect(header.baseOffset == Offset(500) && header.lastOffset == Offset(499 + Int64(records.count)))
      #expect(header.partitionLeaderEpoch == LeaderEpoch(4) && header.magic == 2)
      #expect(header.producerID == producer && header.producerEpoch == ProducerEpoch(3) && header.baseSequence == 7)
      #expect(header.attributes.isTransactional == (round % 2 == 0) && !header.attributes.isControl)
      #expect(header.attributes.compression == codec)
      #expect(header.maxTimestamp == records.map(\.timestamp).max())
      #expect(try SampleRecord.all(in: batch) == records)
    }
  }

  @Test func iterationStopsWhenToldTo() throws {
    let batch = sampleBatch(count: 10, codec: .zstd)
    var seen: [Int32] = []
    try batch.eachRecord { record, _ in
      seen.append(record.offsetDelta)
      return seen.count < 3
    }
    #expect(seen == [0, 1, 2])
  }

  @Test func aNestedIterationHasMemoryOfItsOwn() throws {
    let outer = sampleBatch(count: 3, codec: .lz4, value: Array("outer".utf8))
    let inner = sampleBatch(count: 3, codec: .lz4, value: Array("inner".utf8))
    let decompressor = Decompressor()
    // So that there is memory to lend twice.
    try outer.eachRecord(decompressor) { _, _ in true }
    var values: [[UInt8]] = []
    try outer.eachRecord(decompressor) { record, memory throws(RecordError) in
      try inner.eachRecord(decompressor) { _, _ in true }
      values.append(record.value.map { Array(memory[$0]) } ?? [])
      return true
    }
    #expect(values == Array(repeating: Array("outer".utf8), count: 3))
  }

  @Test(arguments: [CompressionType.none, .gzip]) func aWrongCountIsFound(codec: CompressionType) {
    for count: Int32 in [-1, 0, 4, 6, .max] {
      var batch = sampleBatch(count: 5, codec: codec)
      batch.patch(count, at: 57)
      #expect(throws: RecordError.wrongRecordCount, "\(count)") { try SampleRecord.all(in: batch) }
    }
  }

  @Test func anEmptiedBatchHasNoRecords() throws {
    for attributes: Int16 in [0, 1, 4] {
      var batch = Array(sampleBatch(count: 1)[..<61])
      batch.patch(Int32(49), at: 8)
      batch.patch(attributes, at: 21)
      batch.patch(Int32(0), at: 57)
      #expect(try SampleRecord.all(in: batch).isEmpty)
    }
  }

  @Test func lengthsAreHeldToTheBytes() {
    let batch = sampleBatch(count: 2)
    for length: Int32 in [-1, 0, 48, Int32(batch.count - 11), .max, .min] {
      var wrong = batch
      wrong.patch(length, at: 8)
      #expect(throws: RecordError.truncatedBatch, "\(length)") { try SampleRecord.all(in: wrong) }
    }
    #expect(throws: RecordError.truncatedBatch) { try SampleRecord.all(in: Array(batch[..<60])) }
    #expect(throws: RecordError.truncatedBatch) { try SampleRecord.all(in: []) }
    var unknown = batch
    unknown.patch(Int16(7), at: 21)
    #expect(throws: RecordError.unknownCompression) { try SampleRecord.all(in: unknown) }
  }

  @Test func decompressionKeepsToTheLimit() {
    let batch = sampleBatch(count: 1, codec: .zstd, value: Array(repeating: 0, count: 10_000))
    #expect(throws: RecordError.tooLarge(byteCountMax: 9000)) {
      try batch.eachRecord(byteCountMax: 9000) { _, _ in true }
    }
  }

  @Test func appendTimeIsTheTimeOfEveryRecord() throws {
    var builder = RecordBatchBuilder(isLogAppendTime: true)
    builder.append(key: nil, value: [1], timestamp: Timestamp(milliseconds: 10))
    builder.append(key: nil, value: [1], timestamp: Timestamp(milliseconds: 99))
    let batch = builder.build()
    let header = try #require(batch.withUnsafeBytes { RecordBatchHeader(reading: $0) })
    try batch.eachRecord { record, _ in
      #expect(header.timestamp(of: record) == Timestamp(milliseconds: 99))
      return true
    }
  }
}
