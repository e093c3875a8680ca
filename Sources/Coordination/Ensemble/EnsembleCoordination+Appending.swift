internal import Cluster
internal import Effects
internal import Primitives

/// An append that is under way: its log nodes are made one after the other, and with the last one the head is set, which
/// commits all of them.
struct Change {
  /// Can become: ready -> sent -> ready (the next node), or doubtful -> looking -> ready.
  enum State {
    /// The node at `index` is to be written.
    case ready
    case sent
    /// The answer was lost: it is to be looked whether the node is there.
    case doubtful
    case looking
  }

  let token: RequestToken
  let records: [MetadataRecord]
  let nodes: [[UInt8]]
  let writer: WriterToken
  let firstNode: Int64
  let lastOffset: Offset
  let deadline: Instant
  var index = 0
  var state = State.ready
  /// Whether the last node, which commits all, may have been made, or may yet be: it was sent, and nobody knows what became of it.
  var mayBeMade = false

  var number: Int64 { firstNode + Int64(index) }
  var isAtLast: Bool { index == nodes.count - 1 }
}

extension EnsembleCoordination {
  private static let appendMsMin: Int64 = 5000

  func beginChange(_ records: [MetadataRecord], token: RequestToken) {
    guard case .leading = election.role, let head = reader.head else {
      return fail(token, .notController, "This broker is not the controller.")
    }
    if records.isEmpty { return events.append(.appended(token, lastOffset: reader.image.offset)) }
    lastWriting += 1
    let writer = WriterToken(incarnation: incarnation, number: lastWriting)
    let nodes = LogNode.split(
      records, firstOffset: reader.image.nextOffset, token: writer, nodeBytesMax: settings.nodeBytesMax)
    let bytes = nodes?.compactMap(\.bytes) ?? []
    guard let nodes, bytes.count == nodes.count, let last = nodes.last else {
      return fail(token, .policyViolation, "A part of the change is too large for the metadata log.")
    }
    change = Change(
      token: token, records: records, nodes: bytes, writer: writer, firstNode: head.nextNode,
      lastOffset: last.frame.lastOffset,
      deadline: time.now().advanced(byMilliseconds: max(link.timeoutMs, Self.appendMsMin)))
  }

  private func fail(_ token: RequestToken, _ code: ErrorCode, _ message: String) {
    events.append(.appendFailed(token, KafkaError(code, message)))
  }

  /// Does the next step of the append that is under way.
  func continueChange(_ reign: Reign) {
    switch change?.state {
    case .ready: writeNode(reign)
    case .doubtful: lookForNode()
    case .sent, .looking, nil: break
    }
  }

  private func writeNode(_ reign: Reign) {
    guard let change else { return }
    var writes: [EnsembleWrite] = [.create(NodeCreation(paths.logNode(change.number), change.nodes[change.index]))]
    if change.isAtLast {
      let head = LogHead(nextNode: change.number + 1, lastOffset: change.lastOffset)
      writes.append(.set(paths.head, head.bytes, version: reader.headVersion))
    }
    self.change?.state = .sent
    let mayBeMade = change.mayBeMade
    self.change?.mayBeMade = mayBeMade || change.isAtLast
    send(fencedWrites(writes, reign)) { [unowned self] result in
      guard self.change?.writer == change.writer else { return }
      switch result {
      case .success: wroteNode()
      case .failure(let error) where error.isFenced:
        // This sending came to nothing. One before it may have come through.
        self.change?.mayBeMade = mayBeMade
        fenced()
      case .failure:
        #if DEBUG
          if settings.mutation == .ambiguousAppendIsFailure {
            self.change = nil
            return fail(change.token, .notController, "The change was not made.")
          }
        #endif
        self.change?.state = .doubtful
      }
    }
  }

  /// Finds out what became of a write: done when the node is there with our token in it. If not, it is sent again. That an
  /// earlier sending comes through after this look does no harm: the second one fails then, and we look again.
  private func lookForNode() {
    guard let change else { return }
    self.change?.state = .looking
    send(.get(paths.logNode(change.number), watch: false)) { [unowned self] result in
      guard self.change?.writer == change.writer else { return }
      switch result {
      case .success(.node(let bytes, _)):
        if LogNode.token(of: bytes) == change.writer { return wroteNode() }
        // Only another controller can have written it: there is no place for ours any more.
        self.change?.mayBeMade = false
        fenced()
      case .failure(let error) where error.reason == .noNode: self.change?.state = .ready
      case .success, .failure: self.change?.state = .doubtful
      }
    }
  }

  private func wroteNode() {
    guard let change else { return }
    guard change.isAtLast else {
      self.change?.index += 1
      self.change?.state = .ready
      return
    }
    self.change = nil
    let head = LogHead(nextNode: change.number + 1, lastOffset: change.lastOffset)
    // The reader may have seen it before the answer came.
    if let known = reader.head, known.nextNode < head.nextNode {
      reader.head = head
      reader.headVersion &+= 1
    }
    takeInOwn(change, upTo: head.nextNode)
    events.append(.appended(change.token, lastOffset: change.lastOffset))
  }

  /// Takes in what we wrote ourselves, without reading it back; all of it, where the reader has not got there.
  private func takeInOwn(_ change: Change, upTo nextNode: Int64) {
    guard reader.nextNode < nextNode else { return }
    reader.nextNode = nextNode
    reader.partial = []
    reader.restart()
    reader.nodesSinceSnapshot += Int64(change.nodes.count)
    reader.bytesSinceSnapshot += change.nodes.reduce(0) { $0 + Int64($1.count) }
    commit(change.records)
  }

  /// Nobody can say what became of the append, and its owner waits long enough. The term is given up: the next one begins
  /// by making whatever is still on its way powerless, and by reading what is there.
  func checkChange(_ now: Instant) {
    guard let change, now >= change.deadline else { return }
    resign(
      KafkaError(
        .requestTimedOut, "\(settings.address) did not answer in time: nobody knows whether the change was made."))
    election.isStale = true
  }
}
