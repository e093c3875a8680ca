package import Primitives

extension RecordBatchHeader {
  /// The header of a batch that is about to be built: length, checksum and record counts are set when it is.
  package init(
    baseOffset: Offset = .zero, partitionLeaderEpoch: LeaderEpoch = .none, attributes: BatchAttributes,
    baseTimestamp: Timestamp, maxTimestamp: Timestamp, producerID: ProducerID = .none,
    producerEpoch: ProducerEpoch = .none, baseSequence: Int32 = -1, lastOffsetDelta: Int32, recordCount: Int32
  ) {
    self.baseOffset = baseOffset
    batchLength = 0
    self.partitionLeaderEpoch = partitionLeaderEpoch
    magic = 2
    checksum = 0
    self.attributes = attributes
    self.lastOffsetDelta = lastOffsetDelta
    self.baseTimestamp = baseTimestamp
    self.maxTimestamp = maxTimestamp
    self.producerID = producerID
    self.producerEpoch = producerEpoch
    self.baseSequence = baseSequence
    self.recordCount = recordCount
  }

  /// Writes the 61 bytes of the header at `target`, which has room for them.
  package func write(to target: UnsafeMutableRawPointer) {
    target.storeBigEndian(baseOffset.value, at: 0)
    target.storeBigEndian(batchLength, at: 8)
    target.storeBigEndian(partitionLeaderEpoch.value, at: 12)
    target.storeBigEndian(magic, at: 16)
    target.storeBigEndian(checksum, at: 17)
    target.storeBigEndian(attributes.rawValue, at: 21)
    target.storeBigEndian(lastOffsetDelta, at: 23)
    target.storeBigEndian(baseTimestamp.milliseconds, at: 27)
    target.storeBigEndian(maxTimestamp.milliseconds, at: 35)
    target.storeBigEndian(producerID.value, at: 43)
    target.storeBigEndian(producerEpoch.value, at: 51)
    target.storeBigEndian(baseSequence, at: 53)
    target.storeBigEndian(recordCount, at: 57)
  }

  /// The whole batch of this header and `records`, which are as the attributes say: compressed or not. Sets the length
  /// and the checksum of the header, too.
  package mutating func assemble(records: UnsafeRawBufferPointer) -> [UInt8] {
    let byteCount = Self.byteCount + records.count
    precondition(byteCount <= Int(Int32.max), "a batch of \(byteCount) bytes is too long for its header")
    batchLength = Int32(byteCount - Self.overheadByteCount)
    return [UInt8](unsafeUninitializedCapacity: byteCount) { bytes, count in
      let target = UnsafeMutableRawBufferPointer(bytes)
      UnsafeMutableRawBufferPointer(rebasing: target[Self.byteCount..<byteCount]).copyMemory(from: records)
      seal(target, byteCount: byteCount)
      count = byteCount
    }
  }

  /// Writes the header in front of the records that stand in `batch` already, with the checksum of both.
  package mutating func seal(_ batch: UnsafeMutableRawBufferPointer, byteCount: Int) {
    precondition(byteCount >= Self.byteCount && byteCount <= batch.count, "\(byteCount) bytes are no batch to seal")
    guard let base = batch.baseAddress else { return }
    checksum = 0
    write(to: base)
    checksum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: batch[Self.checksummedFrom..<byteCount]))
    base.storeBigEndian(checksum, at: 17)
  }
}
