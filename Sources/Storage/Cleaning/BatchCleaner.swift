internal import Primitives
internal import Records

/// Says of each batch what stays of it, and writes it anew where only a part does. Kafka's `MemoryRecords.filterTo` with
/// the rules of its `Cleaner`.
///
/// Whatever stays keeps its offsets. Records of transactions that have not been decided are not shown to this; those of
/// decided ones may be aborted, which is not looked at: they make no older record go, and their tombstones stay.
final class BatchCleaner {
  /// What becomes of a batch.
  enum Fate {
    case dropped
    case verbatim
    /// Another batch in its place, good until the next call.
    case rewritten(RecordBatchHeader, UnsafeRawBufferPointer)
  }

  /// What one batch may decompress to. Batches were held to a lower limit when they came.
  static let decompressedByteCountMax = 1 << 30

  private let map: OffsetMap
  private let mappedEnd: Offset
  private let rules: CleaningRules
  private let decompressor = Decompressor()
  private let compressor = Compressor()
  private var kept: [Range<Int>] = []
  private let output = OutputBuffer(capacity: 64 << 10)
  private let records = OutputBuffer(capacity: 64 << 10)

  /// `map` holds the newest offset of each key up to `mappedEnd`; everything from there on stays as it is.
  init(_ map: OffsetMap, upTo mappedEnd: Offset, _ rules: CleaningRules) {
    self.map = map
    self.mappedEnd = mappedEnd
    self.rules = rules
  }

  /// What becomes of `batch`. With `mustStay` at least its header does: it covers the offsets of its records.
  func clean(_ batch: CleaningBatch, mustStay: Bool) throws(RecordError) -> Fate {
    let header = batch.header
    if header.attributes.isControl || header.baseOffset >= mappedEnd { return .verbatim }
    let mustStay = mustStay || rules.holdsLastSequence(header)
    if header.recordCount == 0 { return mustStay ? .verbatim : .dropped }
    let payload = UnsafeRawBufferPointer(rebasing: batch.bytes[RecordBatchHeader.byteCount...])
    guard let codec = header.attributes.compression else { throw .unknownCompression }
    if codec == .none { return try sift(header, payload, mustStay) }
    return try decompressor.withScratch { scratch throws(RecordError) in
      try decompressor.decompress(payload, codec, into: scratch, byteCountMax: Self.decompressedByteCountMax)
      return try sift(header, scratch.bytes, mustStay)
    }
  }

  /// The same, the records in plain text.
  private func sift(
    _ header: RecordBatchHeader, _ memory: UnsafeRawBufferPointer, _ mustStay: Bool
  ) throws(RecordError) -> Fate {
    guard header.recordCount > 0, Int(header.recordCount) <= memory.count, let base = memory.baseAddress else {
      throw .wrongRecordCount
    }
    kept.removeAll(keepingCapacity: true)
    var hasTombstone = false
    var newest = Timestamp.none
    var cursor = ByteCursor(from: base, to: base + memory.count)
    for _ in 0..<header.recordCount {
      let start = cursor.next - base
      let record = try cursor.record(in: base)
      guard stays(record, header, memory) else { continue }
      kept.append(start..<(cursor.next - base))
      if record.value == nil { hasTombstone = true }
      newest = max(newest, header.timestamp(of: record))
    }
    guard cursor.remaining == 0 else { throw .wrongRecordCount }
    guard !kept.isEmpty else { return mustStay ? emptied(header) : .dropped }
    let isNewHorizon = hasTombstone && setsHorizon(header)
    if kept.count == Int(header.recordCount), !isNewHorizon { return .verbatim }
    return try rewritten(header, memory, newest, isNewHorizon)
  }

  /// Whether a record is the newest of its key, and no tombstone whose time is over. Records without a key, which a topic
  /// may have from before it was compacted, go.
  private func stays(_ record: RecordView, _ header: RecordBatchHeader, _ memory: UnsafeRawBufferPointer) -> Bool {
    let offset = header.offset(of: record)
    if offset >= mappedEnd { return true }
    guard let key = record.key else { return false }
    if let latest = map.latest(rules.hasher.hash(UnsafeRawBufferPointer(rebasing: memory[key]))), offset < latest {
      return false
    }
    return record.value != nil || !header.attributes.hasDeleteHorizon || rules.now < header.baseTimestamp
  }

  /// Whether the tombstones of this batch begin to wait for their end: now that everything they stand for goes.
  private func setsHorizon(_ header: RecordBatchHeader) -> Bool {
    !header.attributes.hasDeleteHorizon && !header.attributes.isTransactional && header.lastOffset < mappedEnd
  }

  /// A batch of no records: who reads knows that its offsets are gone, and its producer's sequence is remembered.
  private func emptied(_ header: RecordBatchHeader) -> Fate {
    var header = header
    header.attributes = BatchAttributes(
      isLogAppendTime: header.attributes.isLogAppendTime, isTransactional: header.attributes.isTransactional)
    header.baseTimestamp = .none
    header.recordCount = 0
    records.removeAll()
    return sealed(&header)
  }

  /// The batch with the kept records alone. A new delete horizon takes the place of the base timestamp (KIP-534).
  private func rewritten(
    _ header: RecordBatchHeader, _ memory: UnsafeRawBufferPointer, _ newest: Timestamp, _ isNewHorizon: Bool
  ) throws(RecordError) -> Fate {
    var header = header
    header.recordCount = Int32(truncatingIfNeeded: kept.count)
    header.maxTimestamp = newest
    records.removeAll()
    if isNewHorizon {
      let oldBase = header.baseTimestamp
      header.baseTimestamp = rules.deleteHorizon
      header.attributes = BatchAttributes(rawValue: header.attributes.rawValue | BatchAttributes.deleteHorizon)
      let shift = oldBase.milliseconds &- header.baseTimestamp.milliseconds
      for range in kept { try records.appendRecord(memory, range, timestampShift: shift) }
    } else {
      for range in kept { records.append(UnsafeRawBufferPointer(rebasing: memory[range])) }
    }
    return sealed(&header)
  }

  /// The whole batch of `header` and what is in `records`.
  private func sealed(_ header: inout RecordBatchHeader) -> Fate {
    output.removeAll()
    output.reserve(RecordBatchHeader.byteCount)
    output.end = RecordBatchHeader.byteCount
    if header.recordCount > 0, let codec = header.attributes.compression {
      compressor.compress(records.bytes, codec, into: output)
    }
    header.batchLength = Int32(truncatingIfNeeded: output.count - RecordBatchHeader.overheadByteCount)
    header.seal(UnsafeMutableRawBufferPointer(start: output.base, count: output.end), byteCount: output.end)
    return .rewritten(header, output.bytes)
  }
}

extension BatchAttributes {
  /// The bit that says so of `baseTimestamp`.
  fileprivate static let deleteHorizon: Int16 = 64
}

extension OutputBuffer {
  /// Appends the record at `range` of `memory`, its timestamp told from a base that is `timestampShift` earlier.
  fileprivate func appendRecord(
    _ memory: UnsafeRawBufferPointer, _ range: Range<Int>, timestampShift: Int64
  ) throws(RecordError) {
    guard let base = memory.baseAddress else { return }
    var cursor = ByteCursor(from: base + range.lowerBound, to: base + range.upperBound)
    _ = try cursor.varint()
    var body: [UInt8] = [try cursor.byte()]
    body.appendVarint(try cursor.varlong() &+ timestampShift)
    var length: [UInt8] = []
    length.appendVarint(body.count + cursor.remaining)
    append(length)
    append(body)
    append(UnsafeRawBufferPointer(start: cursor.next, count: cursor.remaining))
  }
}
