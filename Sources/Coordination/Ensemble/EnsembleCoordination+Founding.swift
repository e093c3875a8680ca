internal import Cluster
internal import Primitives

/// Whether the cluster below the chroot is there and ours; made when there is none.
struct Founding {
  /// In this session.
  var isVerified = false
  var isUnderWay = false
  /// Something was there when we founded: then the cluster must be, too.
  var wasRefused = false
}

extension EnsembleCoordination {
  /// Looks which cluster this is. Behind a `sync`: a server that lags must not make it look empty, or younger than it is.
  func lookForCluster() {
    guard !founding.isUnderWay else { return }
    founding.isUnderWay = true
    send(.sync(paths.root)) { [unowned self] result in
      guard case .success = result else {
        founding.isUnderWay = false
        return
      }
      send(.get(paths.clusterID, watch: false)) { [unowned self] result in
        switch result {
        case .success(.node(let bytes, _)): found(bytes)
        case .failure(let error) where error.reason == .noNode: foundNone()
        case .success, .failure: founding.isUnderWay = false
        }
      }
    }
  }

  private func found(_ bytes: [UInt8]) {
    guard let id = ClusterIDNode.id(of: bytes) else {
      return refuse("\(paths.clusterID) in \(settings.address) is no cluster id. Give the cluster a chroot of its own.")
    }
    if let ours = clusterID ?? settings.clusterID, ours != id {
      return refuse(
        "\(settings.address) holds the cluster \(id), but this broker's folders belong to the cluster \(ours). "
          + "Correct zookeeper.connect, or log.dirs.")
    }
    clusterID = id
    founding.isUnderWay = false
    founding.isVerified = true
  }

  private func foundNone() {
    if let clusterID {
      return refuse(
        "The metadata of the cluster \(clusterID) is gone from \(settings.address): it was removed, or wiped.")
    }
    if founding.wasRefused {
      return refuse("\(settings.address) holds nodes of something else below \(paths.root). Choose another chroot.")
    }
    guard settings.mayFound else {
      return refuse(
        "\(settings.address) holds no cluster below \(paths.root), but this broker's folders belong to one"
          + "\(settings.clusterID.map { ", \($0)" } ?? ""). Correct zookeeper.connect, restore ZooKeeper's data, "
          + "or move the folders' data away.")
    }
    makeFolder(0)
  }

  /// Makes what is missing, one after the other. Looks first: the folders above may be closed to us.
  private func makeFolder(_ index: Int) {
    guard paths.folders.indices.contains(index) else { return upload() }
    let path = paths.folders[index]
    send(.exists(path, watch: false)) { [unowned self] result in
      switch result {
      case .success: makeFolder(index + 1)
      case .failure(let error) where error.reason == .noNode:
        send(.create(NodeCreation(path))) { [unowned self] result in
          switch result {
          case .success: makeFolder(index + 1)
          case .failure(let error) where error.reason == .nodeExists: makeFolder(index + 1)
          case .failure: founding.isUnderWay = false
          }
        }
      case .failure: founding.isUnderWay = false
      }
    }
  }

  /// Brings what this broker knows as a single node up as a snapshot that nobody looks at yet. Its name is nobody else's:
  /// whoever founds first, founds with its own.
  private func upload() {
    let records = settings.foundingRecords
    guard !records.isEmpty else { return foundCluster(snapshot: nil) }
    lastWriting += 1
    let frames = MetadataFrame.split(records, firstOffset: .zero, bytesMax: settings.nodeBytesMax)
    guard let frames, let lastOffset = frames.last?.lastOffset else {
      return refuse("A record of this broker's metadata is too large for \(settings.address).")
    }
    let snapshot = SnapshotName(
      name: snapshotName(nextNode: 0), chunkCount: Int64(frames.count), nextNode: 0, lastOffset: lastOffset)
    send(.create(NodeCreation(paths.snapshot(snapshot.name)))) { [unowned self] result in
      guard case .success = result else {
        founding.isUnderWay = false
        return
      }
      uploadChunk(0, of: frames, snapshot)
    }
  }

  private func uploadChunk(_ index: Int, of frames: [MetadataFrame], _ snapshot: SnapshotName) {
    guard frames.indices.contains(index) else { return foundCluster(snapshot: snapshot) }
    guard let bytes = frames[index].encoded() else {
      return refuse("A record of this broker's metadata is too large for \(settings.address).")
    }
    send(.create(NodeCreation(paths.chunk(Int64(index), of: snapshot.name), bytes))) { [unowned self] result in
      // A lost answer begins it all again under another name.
      guard case .success = result else {
        founding.isUnderWay = false
        return
      }
      uploadChunk(index + 1, of: frames, snapshot)
    }
  }

  /// Makes the cluster in one step, or finds it made.
  private func foundCluster(snapshot: SnapshotName?) {
    let pointer = SnapshotPointer(current: snapshot, previous: nil)
    let head = LogHead(nextNode: 0, lastOffset: snapshot?.lastOffset ?? Offset(-1))
    let writes: [EnsembleWrite] = [
      .create(NodeCreation(paths.clusterID, ClusterIDNode.bytes(settings.clusterID ?? newClusterID))),
      .create(NodeCreation(paths.controllerEpoch, ControllerEpochNode.bytes(0))),
      .create(NodeCreation(paths.snapshot, pointer.bytes)),
      .create(NodeCreation(paths.head, head.bytes)),
    ]
    send(.multi(writes)) { [unowned self] result in
      founding.isUnderWay = false
      if case .failure(let error) = result, error.reason == .nodeExists { founding.wasRefused = true }
      // Done, refused, or nobody knows: the next look tells.
    }
  }

  /// A name for a snapshot that no other one has, and that sorts behind older ones.
  func snapshotName(nextNode: Int64) -> String {
    "\(EnsemblePaths.digits(nextNode))-\(incarnation)-\(lastWriting)"
  }
}
