internal import Cluster
internal import Configuration
internal import Effects
internal import Primitives

/// How connections to other brokers end, and what happens to them by the clock.
extension Shard {
  /// The connection, or the try to get one, is over; everything that waits for it fails, and the next try comes after a pause.
  /// What never left on a connection that had come about fails as `.disconnected`, on one that had not as `.unreachable`.
  func lose(_ peer: Peer, why: String, oldest: PeerFailure? = nil) {
    report(peer, why)
    let wasReady = if case .ready = peer.state { true } else { false }
    peerFailures += peer.takeBegun(oldest: oldest, now: now)
    peerFailures += peer.takeWaiting(wasReady ? .disconnected(sent: false) : .unreachable)
    disconnect(peer)
    peer.backoff.noteFailure()
    let until = now.advanced(byMilliseconds: peer.backoff.delayMs(random: environment.random.next()))
    peer.state = .backingOff(until: until)
    setTimer(peer, by: until)
  }

  private func disconnect(_ peer: Peer) {
    guard let id = peer.connectionID else { return }
    peersByConnection[id] = nil
    peer.state = .idle
    environment.transport.close(id)
  }

  func failLater(_ handler: @escaping (PeerOutcome) -> Void, _ failure: PeerFailure) {
    peerFailures.append(FailedPeerRequest(handler: handler, failure: failure))
  }

  /// Calls the handlers of what has failed. Those that fail meanwhile come with the next call.
  func tellPeerFailures() {
    let failures = peerFailures
    peerFailures.removeAll(keepingCapacity: true)
    for failed in failures { failed.handler(.failed(failed.failure)) }
  }

  /// Brokers came, went, moved, or were started anew: what leads to their former selves ends, and what waits for them goes to
  /// where they are now.
  func updatePeers(_ brokers: [BrokerID]) {
    for broker in brokers {
      for lane in PeerLane.allCases {
        guard let peer = peers[PeerKey(broker: broker, lane: lane)] else { continue }
        if image.brokers[broker] == nil { forget(peer) } else { followMove(of: peer) }
      }
    }
  }

  private func forget(_ peer: Peer) {
    peerFailures += peer.takeBegun(now: now) + peer.takeWaiting(.unreachable)
    disconnect(peer)
    clearTimer(peer)
    peers[peer.key] = nil
  }

  private func followMove(of peer: Peer) {
    guard peer.place != place(of: peer.key.broker) else { return }
    peerFailures += peer.takeBegun(now: now)
    disconnect(peer)
    peer.state = .idle
    peer.backoff = ReconnectBackoff()
    markForFlush(peer)
  }

  /// This broker stops: nobody waits for another one any more.
  func stopPeers() {
    for key in peers.keys.sorted(by: { ($0.broker, $0.lane.rawValue) < ($1.broker, $1.lane.rawValue) }) {
      if let peer = peers[key] { forget(peer) }
    }
  }

  // MARK: time

  /// Shorter than that of the other side, which has the same setting as a rule: else a request that is sent at this very
  /// moment would be lost.
  var peerIdleMs: Int64? {
    config.connectionsMaxIdleMs < 0 ? nil : config.connectionsMaxIdleMs / 4 * 3
  }

  func setTimer(_ peer: Peer, by deadline: Instant) {
    if let timer = peer.timer {
      guard deadline < timer.at else { return }
      timers.cancel(timer.id)
    }
    peer.timer = (timers.schedule(.peer(peer.key), at: deadline), deadline)
  }

  private func clearTimer(_ peer: Peer) {
    if let timer = peer.timer { timers.cancel(timer.id) }
    peer.timer = nil
  }

  func peerTimerFired(_ key: PeerKey) {
    guard let peer = peers[key] else { return }
    peer.timer = nil
    peerFailures += peer.takeOverdue(at: now)
    switch peer.state {
    case .idle: break
    case .connecting(_, let until):
      if until <= now { lose(peer, why: "it does not answer") }
    case .ready:
      if peer.hasBegunOverdue(at: now) {
        lose(peer, why: "a request got no answer in time")
      } else if peer.requestCount == 0, let idleMs = peerIdleMs,
        peer.lastActivity.advanced(byMilliseconds: idleMs) <= now
      {
        disconnect(peer)
      }
    case .backingOff(let until):
      if until <= now { endPause(peer) }
    }
    if peers[key] != nil, let deadline = peer.nextDeadline(idleMs: peerIdleMs) { setTimer(peer, by: deadline) }
  }

  private func endPause(_ peer: Peer) {
    peer.state = .idle
    if !peer.waiting.isEmpty {
      markForFlush(peer)
    } else if image.brokers[peer.key.broker] == nil {
      peers[peer.key] = nil
    }
  }
}
