package import Primitives

/// A producer's batch that may be appended.
package struct ValidatedBatch: Sendable {
  /// Where the bytes to append are.
  package enum Payload: Sendable, Hashable {
    /// The bytes that came, unchanged.
    case verbatim
    /// Others: the log's timestamp, another codec, or the right maximum timestamp had to be written.
    case rewritten([UInt8])
  }

  /// The header of the bytes to append. Base offset and leader epoch are still the producer's.
  package let header: RecordBatchHeader
  package let bytes: Payload
  /// The largest timestamp of a record: the append time where the log's clock counts, -1 where no record has one.
  package let maxTimestamp: Timestamp
  /// The offset of the first record with `maxTimestamp`, less the base offset; -1 where no record has a timestamp.
  package let offsetOfMaxTimestampDelta: Int32

  package var recordCount: Int32 { header.recordCount }
}
