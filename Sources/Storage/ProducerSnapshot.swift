internal import Effects
internal import Primitives
internal import Records

/// `.snapshot`, Kafka's format, version 1: the producers of a partition as they were at the offset in the file's name.
enum ProducerSnapshot {
  static let version: Int16 = 1
  private static let headByteCount = 10
  private static let entryByteCount = 46

  static func encode(_ states: [ProducerID: ProducerState]) -> [UInt8] {
    let buffer = OutputBuffer(capacity: headByteCount + max(1, states.count * entryByteCount))
    func put(_ value: some FixedWidthInteger & BitwiseCopyable) {
      withUnsafeBytes(of: value.bigEndian) { buffer.append($0) }
    }
    put(version)
    put(UInt32(0))
    put(Int32(truncatingIfNeeded: states.count))
    for (id, state) in states.sorted(by: { $0.key < $1.key }) {
      put(id.value)
      put(state.epoch.value)
      put(state.lastSequence)
      put(state.last?.lastOffset.value ?? -1)
      put(state.last?.offsetDelta ?? 0)
      put(state.lastUpdate.milliseconds)
      put(state.coordinatorEpoch)
      put(state.currentTransactionFirstOffset?.value ?? -1)
    }
    let checksum = CRC32C.checksum(UnsafeRawBufferPointer(rebasing: buffer.bytes[6...]))
    buffer.base.storeBigEndian(checksum, at: 2)
    return Array(buffer.bytes)
  }

  /// nil when the bytes are no whole snapshot of this version.
  static func decode(_ bytes: [UInt8]) -> [(ProducerID, ProducerState)]? {
    bytes.withUnsafeBytes { bytes in
      guard bytes.count >= headByteCount, let base = bytes.baseAddress, base.bigEndian(Int16.self, at: 0) == version,
        CRC32C.checksum(UnsafeRawBufferPointer(rebasing: bytes[6...])) == base.bigEndian(UInt32.self, at: 2)
      else { return nil }
      let count = Int(base.bigEndian(Int32.self, at: 6))
      guard count >= 0, bytes.count - headByteCount == count * entryByteCount else { return nil }
      return (0..<count).map { entry(at: base + headByteCount + $0 * entryByteCount) }
    }
  }

  private static func entry(at base: UnsafeRawPointer) -> (ProducerID, ProducerState) {
    let state = ProducerState(
      epoch: ProducerEpoch(base.bigEndian(Int16.self, at: 8)),
      lastUpdate: Timestamp(milliseconds: base.bigEndian(Int64.self, at: 26)))
    let lastSequence = base.bigEndian(Int32.self, at: 10)
    if lastSequence >= 0 {
      state.add(
        ProducerState.Batch(
          lastSequence: lastSequence, lastOffset: Offset(base.bigEndian(Int64.self, at: 14)),
          offsetDelta: base.bigEndian(Int32.self, at: 22), timestamp: state.lastUpdate))
    }
    state.coordinatorEpoch = base.bigEndian(Int32.self, at: 34)
    let first = base.bigEndian(Int64.self, at: 38)
    state.currentTransactionFirstOffset = first >= 0 ? Offset(first) : nil
    return (ProducerID(base.bigEndian(Int64.self, at: 0)), state)
  }
}

extension Log {
  /// Writes the producers as they are at the end of the log, an empty table too: reading then need not walk the log. Not
  /// synced, for its checksum tells a torn one. But one of that name, left by an end of the log that was lost, goes first: in
  /// its place the file would show the old content, whole, until the kernel has written the new one.
  func writeProducerSnapshot() throws(IOError) {
    let bytes = ProducerSnapshot.encode(producers.states)
    let path = path(LogFileName.name(logEndOffset, LogFileName.producerSnapshot))
    if environment.fileSystem.exists(path) { try environment.fileSystem.removeFile(path) }
    try environment.writeUnsynced(path, bytes)
  }

  /// The newest sound snapshot, and the batches behind it. Snapshots of what is no longer in the log go: a batch that was
  /// lost before it was acknowledged must not be a duplicate when it is sent again. So do those beyond `trusted`, where a
  /// stop without order may have brought an older log's back, and those before the first segment: what a producer sent
  /// since is not in the log any more. What lies before the log's start in its first segment counts.
  func loadProducers(now: Timestamp, trustingUpTo trusted: Offset? = nil) throws(IOError) {
    producers.removeAll()
    var replayFrom = logStartOffset
    for offset in try snapshotOffsets().reversed() {
      let path = path(LogFileName.name(offset, LogFileName.producerSnapshot))
      if offset < segments[0].baseOffset
        || offset > min(logEndOffset, firstLostOffset ?? Offset(.max), trusted ?? Offset(.max))
      {
        try environment.fileSystem.removeFile(path)
        continue
      }
      guard let entries = ProducerSnapshot.decode(try environment.fileSystem.readAll(path)) else {
        environment.log?(.ignoredDamagedFile(topicPartition, path: path, reason: "no producer snapshot"))
        try environment.fileSystem.removeFile(path)
        continue
      }
      for (id, state) in entries { producers.restore(id, state) }
      replayFrom = offset
      try removeSnapshots { $0 < offset && segmentBaseIsUnknown($0) }
      break
    }
    guard replayFrom < logEndOffset else { return }
    isChanged = true
    try forEachHeader(from: replayFrom) { header in
      guard header.producerID.value >= 0, header.baseOffset >= replayFrom else { return }
      producers.appended(header, baseOffset: header.baseOffset, now: min(now, max(header.maxTimestamp, .none)))
    }
  }

  func snapshotOffsets() throws(IOError) -> [Offset] {
    try environment.fileSystem.list(directory).compactMap {
      LogFileName.baseOffset(of: $0, suffix: LogFileName.producerSnapshot)
    }.sorted()
  }
}
