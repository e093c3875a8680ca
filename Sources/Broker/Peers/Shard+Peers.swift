internal import Cluster
internal import Configuration
internal import Effects
internal import KafkaProtocol
internal import Observability
internal import Primitives

/// Requests to other brokers.
extension Shard {
  /// The largest answer without records that is taken, and the largest of all, whatever the sender says.
  static let plainAnswerBytesMax = 16 << 20
  static let peerAnswerBytesCap = 1 << 30

  /// Sends a request to another broker; `handler` learns what came of it, on this shard, in a later call than this one.
  ///
  /// It waits for a connection where there is none. Nothing is sent twice: whoever wants another try sends again. While the
  /// other broker cannot be reached, requests wait out the pause between two tries, so trying again at once does no harm.
  ///
  /// - Parameters:
  ///   - version: one that the other broker serves.
  ///   - timeoutMs: how long the whole may take; without it replica.socket.timeout.ms or request.timeout.ms, by the lane. A
  ///     request that has left and gets no answer in this time takes its connection with it.
  ///   - answerBytesMax: the largest answer that is taken for one, at most 1 GiB; without it 16 MiB, and for fetches
  ///     socket.request.max.bytes more: no batch is larger than the request that brought it.
  func send(
    _ request: Request, version: Int16, to broker: BrokerID, lane: PeerLane, timeoutMs: Int64? = nil,
    answerBytesMax: Int? = nil, handler: @escaping (PeerOutcome) -> Void
  ) {
    guard !isStopping else { return failLater(handler, .unreachable) }
    let peer = peer(PeerKey(broker: broker, lane: lane))
    guard peer.hasRoom else { return failLater(handler, .queueFull) }
    let correlationID = peer.makeCorrelationID()
    let deadline = now.advanced(byMilliseconds: timeoutMs ?? usualTimeoutMs(lane))
    peer.add(
      PeerRequest(
        correlationID: correlationID, apiKey: request.apiKey, version: version,
        frame: frame(of: request, version: version, lane, correlationID), deadline: deadline,
        answerBytesMax: min(answerBytesMax ?? usualAnswerBytesMax(lane), Self.peerAnswerBytesCap), handler: handler))
    peer.lastActivity = now
    setTimer(peer, by: deadline)
    markForFlush(peer)
  }

  private func usualTimeoutMs(_ lane: PeerLane) -> Int64 {
    switch lane {
    case .replication: Int64(config.replicaSocketTimeoutMs)
    case .control: Int64(config.requestTimeoutMs)
    }
  }

  private func usualAnswerBytesMax(_ lane: PeerLane) -> Int {
    switch lane {
    case .replication: Self.plainAnswerBytesMax + Int(config.socketRequestMaxBytes)
    case .control: Self.plainAnswerBytesMax
    }
  }

  private func peer(_ key: PeerKey) -> Peer {
    if let peer = peers[key] { return peer }
    let peer = Peer(key, now: now)
    peers[key] = peer
    return peer
  }

  private func frame(of request: Request, version: Int16, _ lane: PeerLane, _ correlationID: Int32) -> OutputBuffer {
    let apiKey = request.apiKey
    let buffer = OutputBuffer()
    var writer = Writer(buffer)
    writer.int32(0)
    RequestHeader(
      requestApiKey: apiKey.rawValue, requestApiVersion: version, correlationId: correlationID,
      clientId: BrokerName(id: brokerID, incarnation: startMode.incarnation).clientID
    ).encode(into: &writer, version: apiKey.requestHeaderVersion(for: version))
    request.encode(into: &writer, version: version)
    buffer.base.storeBigEndian(Int32(clamping: buffer.end - 4), at: 0)
    return buffer
  }

  // MARK: out

  func markForFlush(_ peer: Peer) {
    guard !peer.isInFlushList else { return }
    peer.isInFlushList = true
    peerFlushList.append(peer)
  }

  /// Connects and sends, for all that have something to send.
  func flushPeers() {
    let list = peerFlushList
    peerFlushList.removeAll(keepingCapacity: true)
    for peer in list {
      peer.isInFlushList = false
      guard !peer.waiting.isEmpty else { continue }
      if peer.state == .idle { connect(peer) }
      if !peer.write(to: environment.transport) { lose(peer, why: "the connection broke") }
    }
  }

  private func connect(_ peer: Peer) {
    peer.place = place(of: peer.key.broker)
    guard let place = peer.place else {
      return lose(peer, why: "it is not registered with a listener named \(config.interBrokerListenerName)")
    }
    let timeoutMs = peer.backoff.setupTimeoutMs(
      first: config.socketConnectionSetupTimeoutMs, max: config.socketConnectionSetupTimeoutMaxMs,
      random: environment.random.next())
    let id = environment.transport.connect(to: place.host, port: place.port)
    peersByConnection[id] = peer
    let until = now.advanced(byMilliseconds: timeoutMs)
    peer.state = .connecting(id, until: until)
    setTimer(peer, by: until)
  }

  /// Where the image says that a broker is to be reached by brokers.
  func place(of broker: BrokerID) -> PeerPlace? {
    guard let registration = image.brokers[broker],
      let endpoint = registration.endpoint(named: config.interBrokerListenerName)
    else { return nil }
    return PeerPlace(host: endpoint.host, port: endpoint.port, brokerEpoch: registration.epoch)
  }

  // MARK: what the network says

  /// A connection of ours has come about.
  package func connected(_ id: ConnectionID) {
    guard let peer = peersByConnection[id], case .connecting = peer.state else { return }
    peer.state = .ready(id)
    peer.lastActivity = now
    if let idleMs = peerIdleMs { setTimer(peer, by: now.advanced(byMilliseconds: idleMs)) }
    markForFlush(peer)
  }

  func peerClosed(_ id: ConnectionID) {
    guard let peer = peersByConnection[id] else { return }
    let wasReady = if case .ready = peer.state { true } else { false }
    lose(peer, why: wasReady ? "it ended the connection" : "nobody listens there, or there is no way there")
  }

  func peerWritable(_ id: ConnectionID) {
    guard let peer = peersByConnection[id], peer.isOutputBlocked else { return }
    peer.isOutputBlocked = false
    markForFlush(peer)
  }

  func peerReceived(_ id: ConnectionID, _ bytes: UnsafeRawBufferPointer) {
    guard let peer = peersByConnection[id] else { return }
    peer.lastActivity = now
    guard let held = peer.input, !held.isEmpty else {
      let handled = handleAnswers(peer, id, bytes)
      if peer.connectionID == id, handled < bytes.count {
        peer.keep(UnsafeRawBufferPointer(rebasing: bytes[handled...]))
      }
      return
    }
    held.append(bytes)
    let handled = handleAnswers(peer, id, held.bytes)
    if peer.connectionID == id { peer.consume(handled) }
  }

  /// Handles the whole answers at the start of `bytes`; returns how many bytes they took. A handler may end the connection.
  private func handleAnswers(_ peer: Peer, _ id: ConnectionID, _ bytes: UnsafeRawBufferPointer) -> Int {
    var position = 0
    while position < bytes.count, peer.connectionID == id {
      switch peer.takeAnswer(UnsafeRawBufferPointer(rebasing: bytes[position...])) {
      case .incomplete: return position
      case .answer(let request, let response, let frame):
        position += 4 + frame.count
        noteAnswer(peer)
        request.handler(.answer(response, frame: frame))
      case .garbage(let why): lose(peer, why: why, oldest: .badAnswer)
      }
    }
    return position
  }

  private func noteAnswer(_ peer: Peer) {
    if peer.backoff.failureCount > 0 { environment.logger.info("\(name(of: peer)) answers again") }
    peer.backoff.noteAnswer()
  }

  func name(of peer: Peer) -> String {
    "broker \(peer.key.broker.value)" + (peer.place.map { " at \($0.host):\($0.port)" } ?? "")
      + " (\(peer.key.lane.rawValue))"
  }

  /// Of a row of failures the first one is told; of all rows together one a second.
  func report(_ peer: Peer, _ why: String) {
    guard peer.backoff.failureCount == 0, let leftOut = peerLine.admit(at: now) else { return }
    let others = leftOut > 0 ? " (and \(leftOut) more)" : ""
    environment.logger.warning("no connection to \(name(of: peer)): \(why)\(others)")
  }
}
