package import Primitives

/// Builds one batch of format v2, record by record: for what the broker itself writes (offsets, transaction markers,
/// coordinators' state) and for clients. Kafka's `MemoryRecordsBuilder`.
package struct RecordBatchBuilder {
  private let attributes: BatchAttributes
  private let compression: CompressionType
  private let level: Int32?
  private let producerID: ProducerID
  private let producerEpoch: ProducerEpoch
  private let baseSequence: Int32
  private var baseTimestamp: Timestamp?
  private var maxTimestamp: Timestamp?
  private var records: [UInt8] = []
  /// Records appended so far.
  package private(set) var recordCount: Int32 = 0

  /// `level` is the codec's, nil for its default. Without `baseTimestamp` the first record's is taken. With
  /// `isLogAppendTime` the timestamps are said to be the log's own.
  package init(
    compression: CompressionType = .none, level: Int32? = nil, producerID: ProducerID = .none,
    producerEpoch: ProducerEpoch = .none, baseSequence: Int32 = -1, isTransactional: Bool = false,
    isControl: Bool = false, isLogAppendTime: Bool = false, baseTimestamp: Timestamp? = nil
  ) {
    attributes = BatchAttributes(
      compression: compression, isLogAppendTime: isLogAppendTime, isTransactional: isTransactional,
      isControl: isControl)
    self.compression = compression
    self.level = level
    self.producerID = producerID
    self.producerEpoch = producerEpoch
    self.baseSequence = baseSequence
    self.baseTimestamp = baseTimestamp
  }

  package var isEmpty: Bool { recordCount == 0 }
  /// Bytes of the batch if it were built now without compression: for a caller that keeps to a limit.
  package var uncompressedByteCount: Int { RecordBatchHeader.byteCount + records.count }

  /// Appends a record. A nil key or value is null; a nil value is a tombstone on a compacted topic.
  package mutating func append(
    key: [UInt8]?, value: [UInt8]?, headers: [(key: String, value: [UInt8]?)] = [], timestamp: Timestamp
  ) {
    let base = baseTimestamp ?? timestamp
    baseTimestamp = base
    maxTimestamp = max(maxTimestamp ?? timestamp, timestamp)
    var body: [UInt8] = []
    body.reserveCapacity((key?.count ?? 0) + (value?.count ?? 0) + 32)
    body.append(0)
    body.appendVarint(timestamp.milliseconds &- base.milliseconds)
    body.appendVarint(recordCount)
    body.appendVarintSized(key)
    body.appendVarintSized(value)
    body.appendVarint(headers.count)
    for header in headers {
      body.appendVarintSized(Array(header.key.utf8))
      body.appendVarintSized(header.value)
    }
    records.appendVarintSized(body)
    recordCount += 1
  }

  /// The whole batch, to be appended at `baseOffset` by the leader of `leaderEpoch`; 0 and -1 for a Produce request.
  /// There must be a record. `compressor` is one to use again; without it, one is made where the codec needs it.
  package func build(
    baseOffset: Offset = .zero, leaderEpoch: LeaderEpoch = .none, compressor: Compressor? = nil
  ) -> [UInt8] {
    precondition(recordCount > 0, "a batch needs a record")
    var header = RecordBatchHeader(
      baseOffset: baseOffset, partitionLeaderEpoch: leaderEpoch, attributes: attributes,
      baseTimestamp: baseTimestamp ?? .none, maxTimestamp: maxTimestamp ?? .none, producerID: producerID,
      producerEpoch: producerEpoch, baseSequence: baseSequence, lastOffsetDelta: recordCount - 1,
      recordCount: recordCount)
    guard compression != .none else { return records.withUnsafeBytes { header.assemble(records: $0) } }
    let compressed = OutputBuffer(capacity: max(records.count / 2, 512))
    let compressor = compressor ?? Compressor()
    records.withUnsafeBytes { compressor.compress($0, compression, level: level, into: compressed) }
    return header.assemble(records: compressed.bytes)
  }
}
