package import Primitives
package import Records

/// A batch as it stands in a segment: of format 2, or a message of the formats 0 and 1, which may wrap others.
package struct StoredBatch {
  /// Where it begins in its file, in bytes.
  package let position: Int64
  /// The whole batch; good until the walk goes on.
  package let bytes: UnsafeRawBufferPointer
  package let format: Format

  package enum Format: Sendable {
    case current(RecordBatchHeader)
    case old(OldMessage)
  }

  /// The last offset.
  package var lastOffset: Int64 {
    switch format {
    case .current(let header): header.lastOffset.value
    case .old(let message): message.offset.value
    }
  }

  /// The largest timestamp; -1 where there is none.
  package var maxTimestamp: Int64 {
    switch format {
    case .current(let header): header.maxTimestamp.milliseconds
    case .old(let message): message.timestamp.milliseconds
    }
  }

  package var magic: Int8 {
    switch format {
    case .current(let header): header.magic
    case .old(let message): message.magic
    }
  }

  package var attributes: BatchAttributes {
    switch format {
    case .current(let header): header.attributes
    case .old(let message): message.attributes
    }
  }
}

/// A record of a stored batch, of whatever format. The ranges are over the memory that comes with it.
package struct StoredRecord {
  package let offset: Int64
  package let timestamp: Timestamp
  package let key: Range<Int>?
  package let value: Range<Int>?
  /// The record where it is of format 2: it may have headers.
  package let view: RecordView?
}

extension StoredBatch {
  /// What a batch may decompress to, in bytes.
  private static var recordsByteCountMax: Int { 1 << 30 }

  /// Calls `body` with every record, decompressed; checks that the offsets grow and stay inside of the batch. Throws where
  /// the records are not what the batch says.
  package func forEachRecord(
    _ decompressor: Decompressor, _ body: (StoredRecord, UnsafeRawBufferPointer) throws(RecordError) -> Void
  ) throws(RecordError) {
    switch format {
    case .current(let header):
      var lastDelta: Int32 = -1
      try Records.forEachRecord(in: bytes, decompressor: decompressor, byteCountMax: Self.recordsByteCountMax) {
        (record, memory) throws(RecordError) in
        guard record.offsetDelta > lastDelta, record.offsetDelta <= header.lastOffsetDelta else {
          throw .offsetsOutOfOrder
        }
        lastDelta = record.offsetDelta
        let stored = StoredRecord(
          offset: header.offset(of: record).value, timestamp: header.timestamp(of: record), key: record.key,
          value: record.value, view: record)
        try body(stored, memory)
        return true
      }
    case .old:
      try forEachOldMessage(in: bytes, decompressor: decompressor, byteCountMax: Self.recordsByteCountMax) {
        (message, offset, timestamp, memory) throws(RecordError) in
        let stored = StoredRecord(
          offset: offset.value, timestamp: timestamp, key: message.key, value: message.value, view: nil)
        try body(stored, memory)
      }
    }
  }
}
