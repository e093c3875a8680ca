import Primitives
import Records
import Testing

/// What the topic asks of records, and what is appended for a batch that the topic wants otherwise.
@Suite struct AppendRulesTests {
  private func batch(_ timestamps: [Int64], keys: [[UInt8]?]? = nil, codec: CompressionType = .none) -> [UInt8] {
    var builder = RecordBatchBuilder(compression: codec)
    for (index, timestamp) in timestamps.enumerated() {
      builder.append(key: keys?[index] ?? nil, value: [1], timestamp: Timestamp(milliseconds: timestamp))
    }
    return builder.build()
  }

  @Test(arguments: [CompressionType.none, .gzip]) func compactedTopicsNeedKeys(codec: CompressionType) {
    let time = arrival.milliseconds
    let some = batch([time, time, time, time], keys: [[1], nil, [], nil], codec: codec)
    let refused = rejection(of: some, rules: AppendRules(isCompacted: true, produceVersion: 9))
    #expect(refused?.code == .invalidRecord)
    #expect(refused?.recordErrors.map(\.index) == [1, 3])
    #expect(refused?.recordErrors.first?.message == "Compacted topic cannot accept message without key.")
    #expect(rejection(of: some) == nil)
    let all = batch([time, time], keys: [[1], []], codec: codec)
    #expect(rejection(of: all, rules: AppendRules(isCompacted: true, produceVersion: 9)) == nil)
  }

  @Test func timestampsAreHeldToTheBounds() {
    let now = arrival.milliseconds
    let rules = AppendRules(beforeMaxMs: 1000, afterMaxMs: 2000, produceVersion: 9)
    #expect(rejection(of: batch([now - 1000, now + 2000, now, -1]), rules: rules) == nil)
    let refused = rejection(of: batch([now, now - 1001, -1, now + 2001, -2]), rules: rules)
    #expect(refused?.code == .invalidTimestamp)
    #expect(refused?.recordErrors.map(\.index) == [1, 3, 4])
    var log = rules
    log.timestampType = .logAppend
    #expect(rejection(of: batch([now, now - 1001, now + 2001]), rules: log) == nil)
    // Kafka's defaults: any past, an hour of future.
    #expect(rejection(of: batch([0, 1, now + 3_600_000])) == nil)
    #expect(rejection(of: batch([now + 3_600_001]))?.code == .invalidTimestamp)
    #expect(rejection(of: batch([.max]))?.code == .invalidTimestamp)
    let open = AppendRules(beforeMaxMs: .max, afterMaxMs: .max, produceVersion: 9)
    #expect(rejection(of: batch([.max, .min, 0]), rules: open)?.code == .invalidTimestamp)
    #expect(rejection(of: batch([.max, 0]), rules: open) == nil)
  }

  @Test func aWrongTimestampWinsOverAMissingKey() {
    let rules = AppendRules(isCompacted: true, produceVersion: 9)
    let refused = rejection(of: batch([0, .max], keys: [nil, [1]]), rules: rules)
    #expect(refused?.code == .invalidTimestamp)
    #expect(refused?.recordErrors.map(\.index) == [0, 1])
  }

  @Test func recordErrorsAreLimited() {
    let many = batch(Array(repeating: 0, count: BatchValidator.recordErrorsMax + 5))
    let refused = rejection(of: many, rules: AppendRules(isCompacted: true, produceVersion: 9))
    #expect(refused?.recordErrors.count == BatchValidator.recordErrorsMax)
  }

  @Test func recordsWithoutTimestamps() throws {
    let validated = try validate(batch([-1, -1]), rules: AppendRules(beforeMaxMs: 5, produceVersion: 9))
    #expect(validated.bytes == .verbatim)
    #expect(validated.maxTimestamp == .none && validated.offsetOfMaxTimestampDelta == -1)
  }

  /// The checked batch that is to be appended, with its records.
  private func rewritten(_ validated: ValidatedBatch) throws -> [UInt8] {
    guard case .rewritten(let bytes) = validated.bytes else {
      Issue.record("the batch was not rewritten")
      return []
    }
    let header = try #require(bytes.withUnsafeBytes { RecordBatchHeader(reading: $0) })
    #expect(header == validated.header)
    #expect(header.totalByteCount == bytes.count)
    #expect(bytes.withUnsafeBytes { header.checksumMatches($0) })
    return bytes
  }

  @Test(arguments: CompressionType.allCases) func theLogsClock(codec: CompressionType) throws {
    let sent = batch([5, 900, 7], codec: codec)
    let validated = try validate(sent, rules: AppendRules(timestampType: .logAppend, produceVersion: 9))
    #expect(validated.maxTimestamp == arrival && validated.offsetOfMaxTimestampDelta == 0)
    let bytes = try rewritten(validated)
    #expect(validated.header.attributes.isLogAppendTime && validated.header.maxTimestamp == arrival)
    // Nothing else changes, the payload least of all.
    #expect(Array(bytes[61...]) == Array(sent[61...]))
    #expect(try SampleRecord.all(in: bytes).map(\.timestamp) == [arrival, arrival, arrival])
  }

  @Test func aWrongMaximumTimestampIsSetRight() throws {
    var lying = batch([5, 900, 7], codec: .lz4)
    lying.patch(Int64.max, at: 35)
    lying.reseal()
    let validated = try validate(lying)
    #expect(validated.maxTimestamp == Timestamp(milliseconds: 900) && validated.offsetOfMaxTimestampDelta == 1)
    #expect(try rewritten(validated) == batch([5, 900, 7], codec: .lz4).withEpochOf(lying))
  }

  @Test(arguments: CompressionType.allCases, CompressionType.allCases)
  func theTopicsCodec(source: CompressionType, target: CompressionType) throws {
    var noise = Noise(seed: 31)
    var builder = RecordBatchBuilder(
      compression: source, producerID: ProducerID(3), producerEpoch: ProducerEpoch(0), baseSequence: 9,
      isTransactional: true)
    let records = (0..<20).map { _ in SampleRecord.random(&noise) }
    for record in records { builder.append(record) }
    let sent = builder.build()
    let validated = try validate(sent, rules: AppendRules(targetCompression: target, produceVersion: 9))
    guard source != target else {
      #expect(validated.bytes == .verbatim)
      return
    }
    let bytes = try rewritten(validated)
    #expect(validated.header.attributes.compression == target && validated.header.attributes.isTransactional)
    #expect(validated.header.producerID == ProducerID(3) && validated.header.baseSequence == 9)
    #expect(try SampleRecord.all(in: bytes) == records)
  }

  @Test func whatGrowsBeyondTheLimitIsRefused() {
    let small = sampleBatch(count: 1, codec: .zstd, value: Array(repeating: 0, count: 5000))
    let rules = AppendRules(maxMessageBytes: 1000, targetCompression: CompressionType.none, produceVersion: 9)
    #expect(rejection(of: small, rules: rules)?.code == .messageTooLarge)
  }
}

extension [UInt8] {
  /// The same batch with another's leader epoch, which no checksum covers.
  fileprivate func withEpochOf(_ other: [UInt8]) -> [UInt8] { Array(self[..<12]) + other[12..<16] + self[16...] }
}
