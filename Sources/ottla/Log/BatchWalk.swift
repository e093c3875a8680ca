import Records

/// A batch where it stands in a segment.
struct PlacedBatch {
  /// Distance from the beginning of the file.
  let position: Int
  let header: RecordBatchHeader
  /// The whole batch, header first; good until the walk goes on.
  let bytes: UnsafeRawBufferPointer
}

/// Walks the batches of a segment from the front.
enum BatchWalk {
  /// How a walk ended.
  enum Ending {
    case end
    /// The caller wanted no more.
    case stopped
    /// From `position` on there is no whole batch; what is there, in words.
    case damage(position: Int, String)
  }

  /// Bytes of a header behind its length field.
  private static let batchLengthMin = Int32(RecordBatchHeader.byteCount - RecordBatchHeader.overheadByteCount)

  /// Calls `body` with each batch until it returns false, the file ends, or no batch can be made out.
  static func walk(
    _ file: WindowedFile, _ body: (PlacedBatch) throws -> Bool
  ) throws -> Ending {
    var position = 0
    while position < file.byteCount {
      guard let bytes = try file.bytes(at: position, count: RecordBatchHeader.byteCount),
        let header = RecordBatchHeader(reading: bytes)
      else {
        return .damage(position: position, "\(file.byteCount - position) bytes, too few for a batch's header")
      }
      guard header.batchLength >= batchLengthMin else {
        return .damage(position: position, "a batch of the impossible length \(header.batchLength)")
      }
      guard header.magic == 2 else {
        return .damage(position: position, "a batch of format \(header.magic), not 2")
      }
      guard let whole = try file.bytes(at: position, count: header.totalByteCount) else {
        let present = file.byteCount - position
        return .damage(position: position, "a torn batch: \(present) of its \(header.totalByteCount) bytes are there")
      }
      guard try body(PlacedBatch(position: position, header: header, bytes: whole)) else { return .stopped }
      position += header.totalByteCount
    }
    return .end
  }
}
