import Effects
import Primitives
import Records

@testable import Storage

/// Random numbers for a log, the same in every run.
final class SeededSource: RandomSource {
  private var generator: SeededGenerator
  init(_ seed: UInt64) { generator = SeededGenerator(seed) }
  func next() -> UInt64 { generator.next() }
}

/// A record as tests speak of it.
struct KeyedRecord: Hashable {
  var offset: Int64 = 0
  let key: [UInt8]?
  let value: [UInt8]?
  let timestamp: Int64

  init(_ key: String?, _ value: String?, timestamp: Int64 = 1_700_000_000_000, offset: Int64 = 0) {
    self.init(key.map { Array($0.utf8) }, value.map { Array($0.utf8) }, timestamp: timestamp, offset: offset)
  }

  init(_ key: [UInt8]?, _ value: [UInt8]?, timestamp: Int64, offset: Int64 = 0) {
    self.offset = offset
    self.key = key
    self.value = value
    self.timestamp = timestamp
  }
}

/// Whether a read at `offset` may begin with `first`, of a log of `headers`: no record is passed over.
func mayBegin(_ first: RecordBatchHeader?, at offset: Int64, of headers: [RecordBatchHeader]) -> Bool {
  let due = headers.drop { $0.lastOffset.value < offset }
  guard let first else { return due.isEmpty }
  let passed = due.prefix { $0 != first }
  return passed.count < due.count && passed.allSatisfy { $0.recordCount == 0 }
}

/// A batch of keyed records.
func makeBatch(
  _ records: [KeyedRecord], compression: CompressionType = .none, producerID: Int64 = -1, baseSequence: Int32 = -1,
  isTransactional: Bool = false, isLogAppendTime: Bool = false
) -> [UInt8] {
  var builder = RecordBatchBuilder(
    compression: compression, producerID: ProducerID(producerID), producerEpoch: ProducerEpoch(producerID < 0 ? -1 : 0),
    baseSequence: baseSequence, isTransactional: isTransactional, isLogAppendTime: isLogAppendTime)
  for record in records {
    builder.append(
      key: record.key, value: record.value, headers: [("h", [1, 2])],
      timestamp: Timestamp(milliseconds: record.timestamp))
  }
  return builder.build()
}

extension LogFixture {
  /// The rules of a compacted topic with tiny segments.
  static func compacted(_ change: (inout LogConfig) -> Void = { _ in }) throws -> LogFixture {
    var config = LogConfig(
      segmentBytes: 700, indexIntervalBytes: 100, retentionMs: -1, fileDeleteDelayMs: 1000, isCompacted: true,
      deleteRetentionMs: 5000)
    change(&config)
    return try LogFixture(config)
  }

  /// Appends each of `records` as a batch of its own, then begins a new segment.
  func appendSegment(_ records: [KeyedRecord]) throws {
    for record in records { try append(makeBatch([record])) }
    try log.roll(now: now)
  }

  /// Cleans the log and puts the new segments into their places, nothing left out.
  @discardableResult
  func clean(
    _ limits: CleaningLimits = CleaningLimits(mapByteCountMax: 1 << 20), upTo limit: Offset? = nil, seed: UInt64 = 7
  ) throws -> CleaningResult? {
    try log.writePending()
    let bound = limit ?? log.writtenEndOffset
    guard let work = log.beginCleaning(now: now, upTo: bound, limits: limits, random: SeededSource(seed)) else {
      return nil
    }
    let outcome = work.run(fileSystem, throttle: { _ in }, mustStop: { false })
    let result = try log.finishCleaning(work, outcome, now: now)
    if case .swapping(let sync) = result { try swap(sync) }
    if case .discarded = result { work.discard(outcome, fileSystem) }
    return result
  }

  /// Carries a swap to its end.
  func swap(_ first: SwapSync) throws {
    var next: SwapSync? = first
    while let sync = next {
      var failure: IOError?
      do throws(IOError) { try sync.run(fileSystem) } catch { failure = error }
      next = try log.finishSwap(sync, failure: failure, now: now)
    }
  }

  /// Every batch in the file, checksums verified.
  func batches() throws -> [(header: RecordBatchHeader, bytes: [UInt8])] {
    var batches: [(header: RecordBatchHeader, bytes: [UInt8])] = []
    try log.writePending()
    try log.scan(from: log.logStartOffset, upTo: log.writtenEndOffset) { batches.append(($0, Array($1))) }
    return batches
  }

  /// Every record in the file.
  func records() throws -> [KeyedRecord] {
    let decompressor = Decompressor()
    var records: [KeyedRecord] = []
    for (header, bytes) in try batches() {
      try bytes.withUnsafeBytes { bytes in
        try forEachRecord(in: bytes, decompressor: decompressor, byteCountMax: 1 << 20) { record, memory in
          records.append(
            KeyedRecord(
              record.key.map { Array(memory[$0]) }, record.value.map { Array(memory[$0]) },
              timestamp: header.timestamp(of: record).milliseconds, offset: header.offset(of: record).value))
          return true
        }
      }
    }
    return records
  }

  /// "offset key=value" of every record: a tombstone has no value.
  func shown() throws -> [String] {
    try records().map { record in
      let key = record.key.map { String(decoding: $0, as: UTF8.self) } ?? "-"
      return "\(record.offset) \(key)=" + (record.value.map { String(decoding: $0, as: UTF8.self) } ?? "")
    }
  }
}
