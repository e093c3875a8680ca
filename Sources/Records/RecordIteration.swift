import Primitives

/// Calls `body` with every record of `batch` in order, decompressed first where it needs to be, until it returns false.
///
/// `batch` is a whole batch, header first; bytes after it are not looked at. The ranges of a `RecordView` are over the
/// memory passed with it, which is good only until `body` returns. The checksum is not checked. Throws where the records
/// decompress to more than `byteCountMax` bytes, a record is malformed, or there are more or fewer than the header says:
/// of a body that returns false, only what was read until then has been checked.
package func forEachRecord(
  in batch: UnsafeRawBufferPointer, decompressor: Decompressor, byteCountMax: Int,
  body: (RecordView, UnsafeRawBufferPointer) throws(RecordError) -> Bool
) throws(RecordError) {
  guard let header = RecordBatchHeader(reading: batch), header.totalByteCount >= RecordBatchHeader.byteCount,
    header.totalByteCount <= batch.count
  else { throw .truncatedBatch }
  let payload = UnsafeRawBufferPointer(rebasing: batch[RecordBatchHeader.byteCount..<header.totalByteCount])
  guard let codec = header.attributes.compression else { throw .unknownCompression }
  // A batch that compaction emptied keeps its header alone.
  if codec == .none || (header.recordCount == 0 && payload.isEmpty) {
    return try walk(payload, count: header.recordCount, body)
  }
  try decompressor.withScratch { scratch throws(RecordError) in
    try decompressor.decompress(payload, codec, into: scratch, byteCountMax: byteCountMax)
    try walk(scratch.bytes, count: header.recordCount, body)
  }
}

private func walk(
  _ memory: UnsafeRawBufferPointer, count: Int32,
  _ body: (RecordView, UnsafeRawBufferPointer) throws(RecordError) -> Bool
) throws(RecordError) {
  guard count >= 0, Int(count) <= memory.count else { throw .wrongRecordCount }
  guard count > 0, let base = memory.baseAddress else {
    if memory.isEmpty { return }
    throw .wrongRecordCount
  }
  var cursor = ByteCursor(from: base, to: base + memory.count)
  for _ in 0..<count {
    guard cursor.remaining > 0 else { throw .wrongRecordCount }
    guard try body(try cursor.record(in: base), memory) else { return }
  }
  guard cursor.remaining == 0 else { throw .wrongRecordCount }
}
