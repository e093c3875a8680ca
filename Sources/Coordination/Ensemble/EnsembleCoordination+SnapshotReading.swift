internal import Cluster
internal import Primitives

extension EnsembleCoordination {
  /// Loads the snapshot that counts, if it goes further than what is known.
  func readSnapshot() {
    guard !reader.isReadingSnapshot else { return }
    reader.isReadingSnapshot = true
    send(.get(paths.snapshot, watch: false)) { [unowned self] result in
      reader.isReadingSnapshot = false
      switch result {
      case .success(.node(let bytes, _)):
        guard let pointer = SnapshotPointer(bytes) else { return doubtDamage(paths.snapshot) }
        choose(pointer.current)
      case .failure(let error) where error.reason == .noNode: doubtDamage(paths.snapshot, "is missing")
      case .success, .failure: break
      }
    }
  }

  private func choose(_ snapshot: SnapshotName?) {
    if let snapshot, snapshot.nextNode > reader.nextNode || reader.image.offset < snapshot.lastOffset {
      guard snapshot.name != reader.brokenSnapshot else {
        return doubtDamage(paths.snapshot(snapshot.name))
      }
      reader.isReadingSnapshot = true
      reader.snapshotRecords = []
      return readChunk(0, of: snapshot)
    }
    // Nothing stands for the node that is gone.
    if let missing = reader.missingNode { return doubtDamage(paths.logNode(missing), "is missing") }
    reader.wantsSnapshot = false
  }

  private func readChunk(_ index: Int64, of snapshot: SnapshotName) {
    guard index < snapshot.chunkCount else { return load(snapshot) }
    let path = paths.chunk(index, of: snapshot.name)
    send(.get(path, watch: false)) { [unowned self] result in
      switch result {
      case .success(.node(let bytes, _)):
        guard let frame = MetadataFrame(node: bytes) else { return doubtDamage(path) }
        reader.snapshotRecords += frame.records
        readChunk(index + 1, of: snapshot)
      case .failure(let error) where error.reason == .noNode:
        // Two newer ones came while we read: the pointer says which.
        reader.isReadingSnapshot = false
        reader.brokenSnapshot = snapshot.name
      case .success, .failure: reader.isReadingSnapshot = false
      }
    }
  }

  private func load(_ snapshot: SnapshotName) {
    let records = reader.snapshotRecords
    reader.snapshotRecords = []
    let firstOffset = snapshot.lastOffset.advanced(by: 1 - Int64(records.count))
    guard !records.isEmpty, firstOffset >= .zero else { return doubtDamage(paths.snapshot(snapshot.name)) }
    let committed = CommittedRecords(firstOffset: firstOffset, records: records, isSnapshot: true)
    reader.image = ClusterImage()
    committed.replay(into: &reader.image)
    events.append(.committed(committed))
    reader.nextNode = snapshot.nextNode
    reader.partial = []
    reader.restart()
    reader.nodesSinceSnapshot = 0
    reader.bytesSinceSnapshot = 0
    reader.isReadingSnapshot = false
    reader.wantsSnapshot = false
    reader.missingNode = nil
    reader.brokenSnapshot = nil
    if let head = reader.head, head.nextNode < snapshot.nextNode { reader.isHeadStale = true }
  }
}

extension MetadataFrame {
  /// The frame that `bytes` are, all of them; nil when they are damaged.
  init?(node bytes: [UInt8]) {
    let frame = bytes.withUnsafeBytes { buffer in
      MetadataFrame.intactByteCount(buffer) == buffer.count ? MetadataFrame(intact: buffer) : nil
    }
    guard let frame else { return nil }
    self = frame
  }
}
