internal import Cluster
internal import Primitives

/// What is known of the metadata log.
struct LogReader {
  /// Everything up to `nextNode`, whole changes only.
  var image = ClusterImage()
  /// The first log node that was not taken in.
  var nextNode: Int64 = 0
  /// The records of a change whose other parts are still to come.
  var partial: [MetadataRecord] = []

  /// The head as it was read last, or as our own append left it.
  var head: LogHead?
  var headVersion: Int32 = -1
  /// The head is to be read.
  var isHeadStale = true
  var isReadingHead = false

  /// Nodes below this one were asked for.
  var requested: Int64 = 0
  /// Answers that are ahead of `nextNode`.
  var arrived: [Int64: [UInt8]] = [:]
  /// Answers to questions of an older round are not taken in.
  var round: UInt64 = 0

  /// A snapshot is to be loaded: at the start, and when a node is gone that we need.
  var wantsSnapshot = true
  var isReadingSnapshot = false
  /// The node that was gone.
  var missingNode: Int64?
  /// What was read of it.
  var snapshotRecords: [MetadataRecord] = []
  /// The snapshot of which a chunk was gone.
  var brokenSnapshot: String?

  /// Everything up to the head as of the start was told.
  var isLoaded = false

  /// Nodes taken in, and their bytes, since the last snapshot.
  var nodesSinceSnapshot: Int64 = 0
  var bytesSinceSnapshot: Int64 = 0

  /// Whether all is known that was committed when the head was last asked for.
  var isCaughtUp: Bool {
    guard let head, !isHeadStale, !isReadingHead, !wantsSnapshot else { return false }
    return nextNode == head.nextNode
  }

  /// What cannot be so, as often as it was read.
  var doubt: Doubt?

  /// Nothing is known to be gone any more.
  mutating func forgetMissing() {
    wantsSnapshot = true
    missingNode = nil
    brokenSnapshot = nil
  }

  /// Asks again for what was under way.
  mutating func restart() {
    round += 1
    requested = nextNode
    arrived = [:]
  }

  /// The session is over, and what was asked in it is not answered.
  mutating func abandonRequests() {
    restart()
    isHeadStale = true
    isReadingHead = false
    isReadingSnapshot = false
  }
}

extension EnsembleCoordination {
  private static let nodesInFlightMax: Int64 = 16

  /// Reads what is committed and not known yet.
  func readLog() {
    readHead()
    guard let head = reader.head else { return }
    if reader.wantsSnapshot { return readSnapshot() }
    while reader.requested < head.nextNode, reader.requested - reader.nextNode < Self.nodesInFlightMax {
      readNode(reader.requested)
      reader.requested += 1
    }
    if reader.isCaughtUp, !reader.isLoaded {
      reader.isLoaded = true
      events.append(.loaded)
    }
  }

  private func readHead() {
    guard reader.isHeadStale, !reader.isReadingHead else { return }
    reader.isHeadStale = false
    reader.isReadingHead = true
    let known = reader.nextNode
    send(.get(paths.head, watch: true)) { [unowned self] result in
      reader.isReadingHead = false
      switch result {
      case .success(.node(let bytes, let status)): took(head: bytes, version: status.version, known: known)
      case .failure(let error) where error.reason == .noNode:
        refuse("\(settings.address) holds a cluster below \(paths.root) that is not Ottla's. Choose another chroot.")
      case .success, .failure: reader.isHeadStale = true
      }
    }
  }

  /// - Parameter known: how far the log went when the head was asked for.
  private func took(head bytes: [UInt8], version: Int32, known: Int64) {
    guard let head = LogHead(bytes) else { return doubtDamage(paths.head) }
    guard head.nextNode >= known else {
      return doubt(
        "The metadata log in \(settings.address) ends at node \(head.nextNode), but this broker has seen it up to node "
          + "\(known): an older state of it was restored. Restart all brokers, so that they take what is there.")
    }
    // Our own append may have been answered meanwhile; or a snapshot goes further than this.
    if let newest = reader.head, newest.nextNode > head.nextNode { return }
    reader.head = head
    reader.headVersion = version
    if head.nextNode < reader.nextNode { reader.isHeadStale = true }
  }

  private func readNode(_ number: Int64) {
    let round = reader.round
    send(.get(paths.logNode(number), watch: false)) { [unowned self] result in
      guard round == reader.round else { return }
      switch result {
      case .success(.node(let bytes, _)):
        if number >= reader.nextNode { reader.arrived[number] = bytes }
        takeInArrived()
      case .failure(let error) where error.reason == .noNode:
        // It is behind a snapshot that we have not seen.
        reader.missingNode = number
        reader.wantsSnapshot = true
        reader.restart()
      case .success, .failure: reader.restart()
      }
    }
  }

  private func takeInArrived() {
    while let bytes = reader.arrived.removeValue(forKey: reader.nextNode) {
      guard let node = LogNode(bytes) else { return doubtDamage(paths.logNode(reader.nextNode)) }
      guard node.frame.firstOffset == nextOffset else {
        return doubtDamage(
          paths.logNode(reader.nextNode),
          "begins at offset \(node.frame.firstOffset.value), where \(nextOffset.value) was to follow")
      }
      reader.nextNode += 1
      reader.nodesSinceSnapshot += 1
      reader.bytesSinceSnapshot += Int64(bytes.count)
      reader.partial += node.frame.records
      guard node.isLast else { continue }
      commit(reader.partial)
      reader.partial = []
    }
  }

  /// The offset of the first record that was not taken in.
  private var nextOffset: Offset { reader.image.nextOffset.advanced(by: Int64(reader.partial.count)) }

  /// Takes in a whole change.
  func commit(_ records: [MetadataRecord]) {
    let committed = CommittedRecords(firstOffset: reader.image.nextOffset, records: records)
    committed.replay(into: &reader.image)
    events.append(.committed(committed))
  }
}
