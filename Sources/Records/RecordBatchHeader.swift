package import Primitives

/// How the records of a batch are compressed: bits 0 to 2 of its attributes.
package enum CompressionType: Int16, Sendable, CaseIterable {
  case none = 0
  case gzip = 1
  case snappy = 2
  case lz4 = 3
  case zstd = 4
}

/// The attributes of a batch: codec, whose clock the timestamps are, and what the batch is part of.
package struct BatchAttributes: Hashable, Sendable {
  package let rawValue: Int16
  @inlinable package init(rawValue: Int16) { self.rawValue = rawValue }

  package init(
    compression: CompressionType = .none, isLogAppendTime: Bool = false, isTransactional: Bool = false,
    isControl: Bool = false
  ) {
    rawValue = compression.rawValue | (isLogAppendTime ? 8 : 0) | (isTransactional ? 16 : 0) | (isControl ? 32 : 0)
  }

  /// nil for a codec number nobody knows.
  @inlinable package var compression: CompressionType? { CompressionType(rawValue: rawValue & 7) }
  @inlinable package var isLogAppendTime: Bool { rawValue & 8 != 0 }
  @inlinable package var isTransactional: Bool { rawValue & 16 != 0 }
  @inlinable package var isControl: Bool { rawValue & 32 != 0 }
  /// baseTimestamp is then the time at which tombstones may go (KIP-534).
  @inlinable package var hasDeleteHorizon: Bool { rawValue & 64 != 0 }
}

/// The fixed 61 bytes in front of the records of a batch, message format v2, as they stand in the log and on the wire.
///
/// Reading checks nothing but the length: a header from a file or the network may hold any values.
package struct RecordBatchHeader: Hashable, Sendable {
  /// Bytes of a whole header.
  package static let byteCount = 61
  /// Bytes in front of what `batchLength` counts: base offset and the length itself.
  package static let overheadByteCount = 12
  /// Where the checksummed part begins: base offset and partition leader epoch are outside, for the leader patches them.
  package static let checksummedFrom = 21

  package var baseOffset: Offset
  package var batchLength: Int32
  package var partitionLeaderEpoch: LeaderEpoch
  package var magic: Int8
  package var checksum: UInt32
  package var attributes: BatchAttributes
  package var lastOffsetDelta: Int32
  package var baseTimestamp: Timestamp
  package var maxTimestamp: Timestamp
  package var producerID: ProducerID
  package var producerEpoch: ProducerEpoch
  package var baseSequence: Int32
  package var recordCount: Int32

  /// Reads the header at the start of `bytes`; nil when there are fewer than 61.
  package init?(reading bytes: UnsafeRawBufferPointer) {
    guard bytes.count >= Self.byteCount, let base = bytes.baseAddress else { return nil }
    baseOffset = Offset(base.bigEndian(Int64.self, at: 0))
    batchLength = base.bigEndian(Int32.self, at: 8)
    partitionLeaderEpoch = LeaderEpoch(base.bigEndian(Int32.self, at: 12))
    magic = base.bigEndian(Int8.self, at: 16)
    checksum = base.bigEndian(UInt32.self, at: 17)
    attributes = BatchAttributes(rawValue: base.bigEndian(Int16.self, at: 21))
    lastOffsetDelta = base.bigEndian(Int32.self, at: 23)
    baseTimestamp = Timestamp(milliseconds: base.bigEndian(Int64.self, at: 27))
    maxTimestamp = Timestamp(milliseconds: base.bigEndian(Int64.self, at: 35))
    producerID = ProducerID(base.bigEndian(Int64.self, at: 43))
    producerEpoch = ProducerEpoch(base.bigEndian(Int16.self, at: 51))
    baseSequence = base.bigEndian(Int32.self, at: 53)
    recordCount = base.bigEndian(Int32.self, at: 57)
  }

  /// Bytes of the whole batch as the header claims them.
  package var totalByteCount: Int { Int(batchLength) + Self.overheadByteCount }
  package var lastOffset: Offset { baseOffset.advanced(by: Int64(lastOffsetDelta)) }
  package var nextOffset: Offset { baseOffset.advanced(by: Int64(lastOffsetDelta) + 1) }
  /// The sequence number of the last record; sequences wrap from Int32.max to 0.
  package var lastSequence: Int32 {
    guard baseSequence >= 0 else { return -1 }
    return Int32((Int64(baseSequence) + Int64(lastOffsetDelta)) & 0x7fff_ffff)
  }

  /// The largest timestamp of a record: none in a batch that compaction emptied, whose `maxTimestamp` is that of records
  /// that are gone.
  package var newestTimestamp: Timestamp { recordCount == 0 ? .none : maxTimestamp }

  /// Whether the checksum stands for `batch`, which is the whole batch: `totalByteCount` bytes.
  package func checksumMatches(_ batch: UnsafeRawBufferPointer) -> Bool {
    guard batch.count >= Self.byteCount else { return false }
    return CRC32C.checksum(UnsafeRawBufferPointer(rebasing: batch[Self.checksummedFrom...])) == checksum
  }
}
