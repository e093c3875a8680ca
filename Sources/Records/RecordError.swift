/// Why the records of a batch cannot be read. All of them are what a file or a client may bring, never our own bugs.
package enum RecordError: Error, Hashable, Sendable {
  /// The bytes end before the batch does, or its length says less than its header needs.
  case truncatedBatch
  /// A record's lengths or varints point outside of it.
  case malformedRecord
  /// The batch does not hold the number of records that its header says, or more bytes follow the last one.
  case wrongRecordCount
  /// The records' offset deltas are not 0, 1, 2 and so on: required of producers, not of compacted batches.
  case offsetsOutOfOrder
  /// The attributes name a codec that nobody knows.
  case unknownCompression
  /// The bytes are no whole stream of the codec.
  case undecodable(CompressionType)
  /// The records decompress to more than `byteCountMax` bytes.
  case tooLarge(byteCountMax: Int)
  /// The machine had no memory for the codec.
  case outOfMemory
}

extension RecordError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .truncatedBatch: "the batch is shorter than it says"
    case .malformedRecord: "a record's fields reach outside of the record"
    case .wrongRecordCount: "the batch does not hold the number of records that its header says"
    case .offsetsOutOfOrder: "the offset deltas of the records are not 0, 1, 2 and so on"
    case .unknownCompression: "the batch is compressed with an unknown codec"
    case .undecodable(let codec): "the records are not valid \(codec) data"
    case .tooLarge(let limit): "the records decompress to more than \(limit) bytes"
    case .outOfMemory: "no memory to decompress the records"
    }
  }
}
