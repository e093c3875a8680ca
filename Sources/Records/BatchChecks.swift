import Primitives

/// The checks of a producer's batch that need no look at its records. The first rule that is broken is the answer; the
/// checksum comes before all that it covers, so that what the network damaged is CORRUPT_MESSAGE and is sent again.
enum BatchChecks {
  /// The header of `bytes`, which are exactly one intact batch of format v2 of a size the topic takes.
  static func header(
    of bytes: UnsafeRawBufferPointer, rules: AppendRules
  ) throws(BatchRejection) -> RecordBatchHeader {
    guard let header = RecordBatchHeader(reading: bytes), header.magic == 2 else {
      throw unreadable(bytes, rules)
    }
    let byteCount = header.totalByteCount
    guard byteCount >= RecordBatchHeader.byteCount, byteCount == bytes.count else {
      throw wrongLength(header, bytes, rules)
    }
    guard header.baseOffset == .zero else {
      throw invalid(
        "The baseOffset of a record batch that is appended should be 0, but it is \(header.baseOffset.value).")
    }
    guard byteCount <= Int(rules.maxMessageBytes) else { throw tooLarge(byteCount, rules) }
    guard header.checksumMatches(bytes) else {
      throw BatchRejection(.corruptMessage, "The checksum of the record batch does not match its bytes.")
    }
    return header
  }

  /// The codec of a batch whose header a producer may send.
  static func attributes(
    of header: RecordBatchHeader, rules: AppendRules
  ) throws(BatchRejection) -> CompressionType {
    guard let codec = header.attributes.compression else { throw BatchRejection(RecordError.unknownCompression) }
    if codec == .zstd, rules.produceVersion < 7 {
      throw BatchRejection(
        .unsupportedCompressionType,
        "Produce requests with version \(rules.produceVersion) are not allowed to use ZStandard compression.")
    }
    guard header.lastOffsetDelta >= 0 else {
      throw invalid("The record batch has an invalid offset range: its last offset delta is \(header.lastOffsetDelta).")
    }
    guard header.recordCount > 0, Int64(header.lastOffsetDelta) + 1 == Int64(header.recordCount) else {
      throw wrongCount(header)
    }
    if header.attributes.isControl { throw invalid("Clients are not allowed to write control records.") }
    if header.attributes.hasDeleteHorizon { throw invalid("Clients are not allowed to set a delete horizon.") }
    if header.attributes.isLogAppendTime {
      throw BatchRejection(.invalidTimestamp, "Producer should not set timestamp type to LogAppendTime.")
    }
    try producer(of: header)
    return codec
  }

  /// An idempotent producer numbers its batches; only an idempotent one may have transactions.
  @inline(__always)
  private static func producer(of header: RecordBatchHeader) throws(BatchRejection) {
    if header.producerID.value < 0 {
      guard header.attributes.isTransactional else { return }
      throw invalid("A transactional record batch needs a producer id.")
    }
    guard header.baseSequence >= 0 else {
      throw invalid(
        "Invalid sequence number \(header.baseSequence) in record batch with producerId \(header.producerID.value).")
    }
    guard header.producerEpoch.value >= 0 else {
      throw invalid(
        "Invalid epoch \(header.producerEpoch.value) in record batch with producerId \(header.producerID.value).")
    }
  }

  @inline(never)
  static func tooLarge(_ byteCount: Int, _ rules: AppendRules) -> BatchRejection {
    BatchRejection(
      .messageTooLarge,
      "The record batch size is \(byteCount) bytes which exceeds the maximum configured value of \(rules.maxMessageBytes)."
    )
  }

  @inline(never)
  private static func invalid(_ message: @autoclosure () -> String) -> BatchRejection {
    BatchRejection(.invalidRecord, message())
  }

  @inline(never)
  private static func wrongCount(_ header: RecordBatchHeader) -> BatchRejection {
    guard header.recordCount > 0 else {
      return invalid("Invalid reported count for record batch: \(header.recordCount).")
    }
    return invalid(
      "Inconsistent batch offset range [0, \(header.lastOffsetDelta)] and count of records \(header.recordCount).")
  }

  /// What is wrong with bytes that do not begin with a header of format v2.
  @inline(never)
  private static func unreadable(_ bytes: UnsafeRawBufferPointer, _ rules: AppendRules) -> BatchRejection {
    let request = "Produce requests with version \(rules.produceVersion)"
    guard bytes.count > 16, let base = bytes.baseAddress else {
      return invalid("\(request) must have at least one record batch.")
    }
    let magic = base.bigEndian(Int8.self, at: 16)
    switch magic {
    case 0, 1: return invalid("\(request) are only allowed to contain record batches with magic version 2.")
    case 2: return BatchRejection(.corruptMessage, "The record batch is shorter than a header of 61 bytes.")
    default: return BatchRejection(.corruptMessage, "Invalid magic \(magic) found in the record batch.")
    }
  }

  @inline(never)
  private static func wrongLength(
    _ header: RecordBatchHeader, _ bytes: UnsafeRawBufferPointer, _ rules: AppendRules
  ) -> BatchRejection {
    let byteCount = header.totalByteCount
    if byteCount < RecordBatchHeader.byteCount {
      return BatchRejection(
        .corruptMessage, "The size \(byteCount) of the record batch is smaller than the minimum allowed overhead 61.")
    }
    if byteCount > bytes.count {
      return invalid("The record batch should have \(byteCount) bytes, but only \(bytes.count) came.")
    }
    return invalid(
      "Produce requests with version \(rules.produceVersion) are only allowed to contain exactly one record batch.")
  }
}
