package import Primitives

/// Decides whether a producer's batch may be appended, and what is appended for it: Kafka's
/// `ProduceRequest.validateRecords`, `UnifiedLog.analyzeAndValidateRecords` and `LogValidator` in one.
///
/// One owner at a time, one for each shard. A batch without compression costs one checksum and one walk over its
/// records, without allocation.
package final class BatchValidator {
  /// Most record errors that a rejection names; the clients blame the whole batch for the rest.
  package static let recordErrorsMax = 1000

  /// Records never decompress to more, whatever the rules say: a batch that is written anew must fit its header.
  package static let decompressedBytesLimit = 1 << 30

  private let decompressor = Decompressor()
  private let compressor = Compressor()

  package init() {}

  /// Checks `bytes`, the whole records field of one partition: exactly one batch of format v2. The same bytes, rules and
  /// time give the same answer.
  package func validate(
    _ bytes: UnsafeRawBufferPointer, rules: AppendRules, now: Timestamp
  ) throws(BatchRejection) -> ValidatedBatch {
    let header = try BatchChecks.header(of: bytes, rules: rules)
    let codec = try BatchChecks.attributes(of: header, rules: rules)
    let payload = UnsafeRawBufferPointer(rebasing: bytes[RecordBatchHeader.byteCount...])
    if codec == .none { return try validate(bytes, header, codec, records: payload, rules, now) }
    return try decompressor.withScratch { scratch throws(BatchRejection) in
      let limit = min(rules.decompressedBytesMax, Self.decompressedBytesLimit)
      do throws(RecordError) {
        try decompressor.decompress(payload, codec, into: scratch, byteCountMax: limit)
      } catch { throw BatchRejection(error) }
      return try validate(bytes, header, codec, records: scratch.bytes, rules, now)
    }
  }

  /// Checks the decompressed records of `batch` and decides what is appended.
  private func validate(
    _ batch: UnsafeRawBufferPointer, _ header: RecordBatchHeader, _ codec: CompressionType,
    records: UnsafeRawBufferPointer, _ rules: AppendRules, _ now: Timestamp
  ) throws(BatchRejection) -> ValidatedBatch {
    let walk: RecordWalk
    do throws(RecordError) {
      walk = try RecordWalk(
        over: records, count: header.recordCount, baseTimestamp: header.baseTimestamp.milliseconds)
    } catch { throw BatchRejection(error) }
    let timestamps = rules.timestamps(at: now)
    if walk.minTimestamp < timestamps.lowerBound || walk.maxTimestamp > timestamps.upperBound
      || (rules.isCompacted && walk.someKeyIsNull)
    {
      try RecordErrors.check(records, header: header, rules: rules, timestamps: timestamps)
    }
    let isLogAppendTime = rules.timestampType == .logAppend
    let target = rules.targetCompression ?? codec
    let maxTimestamp = isLogAppendTime ? now : Timestamp(milliseconds: walk.maxTimestamp)
    let index = isLogAppendTime ? 0 : walk.indexOfMaxTimestamp
    if target == codec, !isLogAppendTime, header.maxTimestamp == maxTimestamp {
      return ValidatedBatch(
        header: header, bytes: .verbatim, maxTimestamp: maxTimestamp, offsetOfMaxTimestampDelta: index)
    }
    var written = header
    written.maxTimestamp = maxTimestamp
    written.attributes = header.attributes.with(compression: target, isLogAppendTime: isLogAppendTime)
    let bytes =
      target == codec
      ? BatchRewriting.patched(batch, header: &written)
      : BatchRewriting.recompressed(
        records, header: &written, codec: target, level: rules.level, compressor: compressor)
    guard bytes.count <= Int(rules.maxMessageBytes) else { throw BatchChecks.tooLarge(bytes.count, rules) }
    return ValidatedBatch(
      header: written, bytes: .rewritten(bytes), maxTimestamp: maxTimestamp, offsetOfMaxTimestampDelta: index)
  }
}
