import Primitives
import Records
import Testing

/// Which batches are refused, and with which code.
@Suite struct BatchValidatorTests {
  private func resealed(_ batch: [UInt8], _ change: (inout [UInt8]) -> Void) -> [UInt8] {
    var changed = batch
    change(&changed)
    changed.reseal()
    return changed
  }

  @Test(arguments: CompressionType.allCases) func whatTheBuilderMakesIsAcceptedAsItIs(codec: CompressionType) throws {
    var noise = Noise(seed: 23)
    let validator = BatchValidator()
    for _ in 0..<30 {
      let records = (0..<(1 + noise.below(40))).map { _ in SampleRecord.random(&noise) }
      var builder = RecordBatchBuilder(compression: codec)
      for record in records { builder.append(record) }
      let batch = builder.build()
      let validated = try validate(batch, validator)
      #expect(validated.bytes == .verbatim)
      #expect(validated.header == batch.withUnsafeBytes { RecordBatchHeader(reading: $0) })
      let latest = records.map(\.timestamp).max()
      #expect(validated.maxTimestamp == latest)
      #expect(Int(validated.offsetOfMaxTimestampDelta) == records.firstIndex { $0.timestamp == latest })
    }
  }

  @Test func exactlyOneBatchIsRequired() {
    let batch = sampleBatch(count: 2)
    #expect(rejection(of: [])?.code == .invalidRecord)
    #expect(rejection(of: [])?.message == "Produce requests with version 9 must have at least one record batch.")
    #expect(rejection(of: batch + batch)?.code == .invalidRecord)
    #expect(rejection(of: batch + batch)?.message?.contains("exactly one record batch") == true)
    #expect(rejection(of: batch + [0])?.code == .invalidRecord)
  }

  @Test func otherFormatsAreRefused() {
    var batch = sampleBatch(count: 2)
    for (magic, code): (Int8, ErrorCode) in [
      (0, .invalidRecord), (1, .invalidRecord), (3, .corruptMessage), (-1, .corruptMessage),
    ] {
      batch.patch(magic, at: 16)
      #expect(rejection(of: batch)?.code == code)
    }
    // An old message set is shorter than a header of today.
    var old: [UInt8] = Array(repeating: 0, count: 26)
    old.patch(Int32(14), at: 8)
    old.patch(Int8(1), at: 16)
    #expect(
      rejection(of: old)?.message?.contains("only allowed to contain record batches with magic version 2") == true)
  }

  @Test func lengthsMustAgree() {
    let batch = sampleBatch(count: 2)
    for (length, code): (Int32, ErrorCode) in [
      (-1, .corruptMessage), (.min, .corruptMessage), (0, .corruptMessage), (48, .corruptMessage),
      (49, .invalidRecord), (Int32(batch.count) - 11, .invalidRecord), (.max, .invalidRecord),
    ] {
      var wrong = batch
      wrong.patch(length, at: 8)
      #expect(rejection(of: wrong)?.code == code, "\(length)")
    }
    for length in 0..<batch.count {
      let code: ErrorCode = (17..<61).contains(length) ? .corruptMessage : .invalidRecord
      #expect(rejection(of: Array(batch[..<length]))?.code == code, "cut to \(length)")
    }
  }

  /// No single byte can change on the way without being noticed, but the leader's epoch, which the leader sets anyway.
  @Test(arguments: [CompressionType.none, .zstd]) func everyFlippedByteIsNoticed(codec: CompressionType) {
    let batch = sampleBatch(count: 3, codec: codec)
    for place in batch.indices where !(12..<16).contains(place) {
      var damaged = batch
      damaged[place] ^= 0x11
      let code = rejection(of: damaged)?.code
      #expect(place < 17 ? code != nil : code == .corruptMessage, "byte \(place)")
    }
  }

  @Test func sizeIsHeldToTheTopics() {
    let batch = sampleBatch(count: 20)
    let size = Int32(batch.count)
    #expect(rejection(of: batch, rules: AppendRules(maxMessageBytes: size, produceVersion: 9)) == nil)
    let refused = rejection(of: batch, rules: AppendRules(maxMessageBytes: size - 1, produceVersion: 9))
    #expect(refused?.code == .messageTooLarge)
  }

  @Test func headersThatProducersMayNotSend() {
    let batch = sampleBatch(count: 2)
    let wrong: [(String, ErrorCode, [UInt8])] = [
      ("base offset", .invalidRecord, resealed(batch) { $0.patch(Int64(5), at: 0) }),
      ("unknown codec", .invalidRecord, resealed(batch) { $0.patch(Int16(5), at: 21) }),
      ("append time", .invalidTimestamp, resealed(batch) { $0.patch(Int16(8), at: 21) }),
      ("transactional, no producer", .invalidRecord, resealed(batch) { $0.patch(Int16(16), at: 21) }),
      ("control", .invalidRecord, resealed(batch) { $0.patch(Int16(32), at: 21) }),
      ("delete horizon", .invalidRecord, resealed(batch) { $0.patch(Int16(64), at: 21) }),
      ("negative offset range", .invalidRecord, resealed(batch) { $0.patch(Int32(-1), at: 23) }),
      ("larger offset range", .invalidRecord, resealed(batch) { $0.patch(Int32(2), at: 23) }),
      ("largest offset range", .invalidRecord, resealed(batch) { $0.patch(Int32.max, at: 23) }),
      ("no records", .invalidRecord, resealed(batch) { $0.patch(Int32(0), at: 57) }),
      ("negative count", .invalidRecord, resealed(batch) { $0.patch(Int32.min, at: 57) }),
      ("producer without sequence", .invalidRecord, resealed(batch) { $0.patch(Int64(1), at: 43) }),
    ]
    for (name, code, batch) in wrong { #expect(rejection(of: batch)?.code == code, "\(name)") }
    let idempotent = resealed(batch) {
      $0.patch(Int64(1), at: 43)
      $0.patch(Int16(0), at: 51)
      $0.patch(Int32(0), at: 53)
    }
    #expect(rejection(of: idempotent) == nil)
    #expect(rejection(of: resealed(idempotent) { $0.patch(Int16(-1), at: 51) })?.code == .invalidRecord)
  }

  @Test func anEmptyBatchIsRefused() {
    var header = RecordBatchHeader(
      attributes: BatchAttributes(), baseTimestamp: arrival, maxTimestamp: arrival, lastOffsetDelta: 0, recordCount: 0)
    #expect(
      rejection(of: header.assemble(records: UnsafeRawBufferPointer(start: nil, count: 0)))?.code == .invalidRecord)
    header.recordCount = 1
    #expect(
      rejection(of: header.assemble(records: UnsafeRawBufferPointer(start: nil, count: 0)))?.code == .invalidRecord)
  }

  @Test func zstdNeedsProduceSeven() {
    let batch = sampleBatch(count: 1, codec: .zstd)
    #expect(rejection(of: batch, rules: AppendRules(produceVersion: 6))?.code == .unsupportedCompressionType)
    #expect(rejection(of: batch, rules: AppendRules(produceVersion: 7)) == nil)
    #expect(rejection(of: sampleBatch(count: 1, codec: .lz4), rules: AppendRules(produceVersion: 3)) == nil)
  }

  @Test(arguments: [CompressionType.gzip, .snappy, .lz4, .zstd]) func compressedPayloads(codec: CompressionType) {
    let batch = sampleBatch(count: 50, codec: codec, value: Array(repeating: 9, count: 1000))
    let garbage = resealed(batch) { bytes in
      for place in 61..<bytes.count { bytes[place] = 0xa5 }
    }
    #expect(rejection(of: garbage)?.code == .corruptMessage)
    var cut = Array(batch.dropLast(3))
    cut.patch(Int32(cut.count - 12), at: 8)
    cut.reseal()
    #expect(rejection(of: cut)?.code == .corruptMessage)
    let bomb = AppendRules(decompressedBytesMax: 10_000, produceVersion: 9)
    #expect(rejection(of: batch, rules: bomb)?.code == .messageTooLarge)
    // The right stream of the wrong number of records.
    let fewer = resealed(batch) {
      $0.patch(Int32(48), at: 23)
      $0.patch(Int32(49), at: 57)
    }
    #expect(rejection(of: fewer)?.code == .invalidRecord)
  }
}
