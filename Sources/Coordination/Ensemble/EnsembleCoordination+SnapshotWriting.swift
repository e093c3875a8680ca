internal import Cluster
internal import Effects
internal import Primitives

/// The controller's care for the length of the log.
struct SnapshotWriter {
  var isUnderWay = false
  /// After a failure it is not tried again before this.
  var notBefore: Instant?
}

extension EnsembleCoordination {
  private static let retryMs: Int64 = 5000

  /// Writes a snapshot when the log is long, and takes away what it stands for.
  func keepSnapshots(_ reign: Reign) {
    let isLong =
      reader.nodesSinceSnapshot >= settings.snapshotNodeCount || reader.bytesSinceSnapshot >= settings.snapshotBytes
    guard isLong, !snapshots.isUnderWay, snapshots.notBefore == nil else { return }
    let records = reader.image.snapshotRecords()
    let firstOffset = reader.image.offset.advanced(by: 1 - Int64(records.count))
    guard !records.isEmpty, firstOffset >= .zero,
      let frames = MetadataFrame.split(records, firstOffset: firstOffset, bytesMax: settings.nodeBytesMax)
    else { return postpone() }
    lastWriting += 1
    snapshots.isUnderWay = true
    let name = SnapshotName(
      name: snapshotName(nextNode: reader.nextNode), chunkCount: Int64(frames.count), nextNode: reader.nextNode,
      lastOffset: reader.image.offset)
    // What comes from here on counts for the next one.
    let counted = (nodes: reader.nodesSinceSnapshot, bytes: reader.bytesSinceSnapshot)
    write([.create(NodeCreation(paths.snapshot(name.name)))], reign) { [unowned self] in
      writeChunk(0, of: frames, name, reign) { [unowned self] in
        reader.nodesSinceSnapshot -= min(counted.nodes, reader.nodesSinceSnapshot)
        reader.bytesSinceSnapshot -= min(counted.bytes, reader.bytesSinceSnapshot)
      }
    }
  }

  private func postpone() {
    snapshots.isUnderWay = false
    snapshots.notBefore = time.now().advanced(byMilliseconds: Self.retryMs)
  }

  /// A step of ours. Where it fails, or nobody knows, the whole is begun anew later, under another name; what is left of this
  /// one is taken away then.
  private func write(_ writes: [EnsembleWrite], _ reign: Reign, _ next: @escaping () -> Void) {
    send(fencedWrites(writes, reign)) { [unowned self] result in
      guard election.role == .leading(reign) else { return }
      switch result {
      case .success: next()
      case .failure(let error) where error.isFenced: fenced()
      case .failure: postpone()
      }
    }
  }

  private func writeChunk(
    _ index: Int, of frames: [MetadataFrame], _ name: SnapshotName, _ reign: Reign, _ wrote: @escaping () -> Void
  ) {
    guard frames.indices.contains(index) else { return publish(name, reign, wrote) }
    guard let bytes = frames[index].encoded() else { return postpone() }
    write([.create(NodeCreation(paths.chunk(Int64(index), of: name.name), bytes))], reign) { [unowned self] in
      writeChunk(index + 1, of: frames, name, reign, wrote)
    }
  }

  /// From here on the snapshot counts, and with it the one before.
  private func publish(_ name: SnapshotName, _ reign: Reign, _ wrote: @escaping () -> Void) {
    send(.get(paths.snapshot, watch: false)) { [unowned self] result in
      guard election.role == .leading(reign) else { return }
      guard case .success(.node(let bytes, let status)) = result else { return postpone() }
      guard let pointer = SnapshotPointer(bytes) else { return doubtDamage(paths.snapshot) }
      let published = SnapshotPointer(current: name, previous: pointer.current)
      write([.set(paths.snapshot, published.bytes, version: status.version)], reign) { [unowned self] in
        wrote()
        removeOldSnapshots(but: published, reign)
      }
    }
  }

  private func removeOldSnapshots(but pointer: SnapshotPointer, _ reign: Reign) {
    let kept = [pointer.current?.name, pointer.previous?.name].compactMap { $0 }
    send(.children(paths.snapshots, watch: false)) { [unowned self] result in
      guard election.role == .leading(reign) else { return }
      guard case .success(.children(let names)) = result else { return postpone() }
      remove(names.filter { !kept.contains($0) }.sorted()[...], reign) { [unowned self] in
        removeOldNodes(below: pointer.previous?.nextNode ?? 0, reign)
      }
    }
  }

  /// Takes away whole snapshots, one after the other: the chunks, then their folder.
  private func remove(_ names: ArraySlice<String>, _ reign: Reign, _ next: @escaping () -> Void) {
    guard let name = names.first else { return next() }
    send(.children(paths.snapshot(name), watch: false)) { [unowned self] result in
      guard election.role == .leading(reign) else { return }
      guard case .success(.children(let chunks)) = result else { return postpone() }
      let nodes = chunks.sorted().map { paths.snapshot(name) + "/" + $0 } + [paths.snapshot(name)]
      delete(nodes, reign) { [unowned self] isDone in
        guard election.role == .leading(reign) else { return }
        if isDone { remove(names.dropFirst(), reign, next) } else { postpone() }
      }
    }
  }

  /// Takes away what the older of the two snapshots stands for: who is behind the newer one only need not load it.
  private func removeOldNodes(below number: Int64, _ reign: Reign) {
    send(.children(paths.log, watch: false)) { [unowned self] result in
      guard election.role == .leading(reign) else { return }
      guard case .success(.children(let names)) = result else { return postpone() }
      let old = names.compactMap { Int64($0) }.filter { $0 < number }.sorted().map { paths.logNode($0) }
      delete(old, reign) { [unowned self] isDone in
        guard election.role == .leading(reign) else { return }
        if isDone { snapshots.isUnderWay = false } else { postpone() }
      }
    }
  }
}
