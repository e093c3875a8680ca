import Primitives

/// Makes another batch of a validated one, where the topic wants another codec, its own clock, or the producer's
/// maximum timestamp is not the records'.
enum BatchRewriting {
  /// The batch with `header`, whose attributes and maximum timestamp are set already, in front of the same payload.
  static func patched(_ batch: UnsafeRawBufferPointer, header: inout RecordBatchHeader) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: batch.count) { bytes, count in
      let target = UnsafeMutableRawBufferPointer(bytes)
      target.copyMemory(from: batch)
      header.seal(target, byteCount: batch.count)
      count = batch.count
    }
  }

  /// The batch with `header` in front of `records` compressed with `codec`.
  static func recompressed(
    _ records: UnsafeRawBufferPointer, header: inout RecordBatchHeader, codec: CompressionType, level: Int32?,
    compressor: Compressor
  ) -> [UInt8] {
    guard codec != .none else { return header.assemble(records: records) }
    let payload = OutputBuffer(capacity: max(records.count / 2, 512))
    compressor.compress(records, codec, level: level, into: payload)
    return header.assemble(records: payload.bytes)
  }
}

extension BatchAttributes {
  /// The same with another codec and another clock.
  func with(compression: CompressionType, isLogAppendTime: Bool) -> BatchAttributes {
    BatchAttributes(rawValue: (rawValue & ~15) | compression.rawValue | (isLogAppendTime ? 8 : 0))
  }
}
