internal import Effects
internal import Primitives

/// How a service stands to the ensemble.
struct EnsembleLink {
  /// Can become: unreached -> connected -> lost -> connected ...; a session that is over -> unreached, or waiting for the next
  /// attempt; each -> closing -> closed, each -> refused.
  enum State: Equatable {
    /// No server was reached in this session yet.
    case unreached
    case connected(EnsembleSession)
    /// No server can be reached now; the session may live.
    case lost
    /// The next session is begun then.
    case waiting(until: Instant)
    case closing(until: Instant)
    case closed
    /// The broker cannot be part of this cluster.
    case refused
  }

  var state = State.unreached
  /// What was told last.
  var toldConnected: Bool?
  /// When it is told that no server was reached from the start.
  var silentUntil: Instant?
  /// Of the last session.
  var timeoutMs: Int64 = 6000
  /// Whether a server was reached since the last `connect`.
  var wasReached = false

  var isEnding: Bool {
    switch state {
    case .closing, .closed, .refused: true
    case .unreached, .connected, .lost, .waiting: false
    }
  }

  var session: EnsembleSession? { if case .connected(let session) = state { session } else { nil } }

  var deadline: Instant? {
    switch state {
    case .waiting(let until), .closing(let until): until
    case .unreached: silentUntil
    case .connected, .lost, .closed, .refused: nil
    }
  }
}

extension EnsembleCoordination {
  private static let reconnectMs: Int64 = 1000
  private static let silentMs: Int64 = 5000

  /// Begins a session; what the one before it asked for is forgotten.
  func connect() {
    forgetRequests()
    link.state = .unreached
    link.wasReached = false
    if link.toldConnected == nil { link.silentUntil = time.now().advanced(byMilliseconds: Self.silentMs) }
    ensemble.connect()
  }

  func take(_ event: EnsembleEvent) {
    if link.isEnding {
      if event == .closed, case .closing = link.state { finishClose() }
      return
    }
    switch event {
    case .connected(let session): connected(session)
    case .disconnected: disconnected()
    case .sessionLost: sessionLost()
    case .loginRefused:
      refuse("\(settings.address) does not accept this broker's login. Give it the login of the other brokers.")
    case .changed(let path): changed(path)
    case .completed(let token, let result): complete(token, result)
    case .closed: break
    }
  }

  private func connected(_ session: EnsembleSession) {
    link.state = .connected(session)
    link.timeoutMs = max(session.timeoutMs, 1)
    link.wasReached = true
    tellConnection(true)
    // A watch is told once, and what happened while nobody was connected may not be told at all: look at everything again.
    lookAtEverything()
  }

  private func disconnected() {
    guard case .connected = link.state else { return }
    link.state = .lost
    // A foreign node may well have its time while nobody can see it: it gets all of it again.
    registration.foreignUntil = nil
    tellConnection(false)
  }

  /// The session is over: its nodes are gone, or go by themselves. Everything begins again under a new one.
  private func sessionLost() {
    abandonSession()
    tellConnection(false)
    if link.wasReached { return connect() }
    link.state = .waiting(until: time.now().advanced(byMilliseconds: Self.reconnectMs))
    forgetRequests()
  }

  /// Tells what is no longer so, and forgets where each part was.
  func abandonSession() {
    resign(
      KafkaError(.notController, "This broker lost its session with \(settings.address), and with it the election."))
    election.abandon()
    if registration.abandon() { events.append(.unregistered) }
    founding = Founding()
    reader.abandonRequests()
    presence = PresenceWatch()
    snapshots = SnapshotWriter()
  }

  private func lookAtEverything() {
    reader.isHeadStale = true
    registration.isStale = true
    election.isStale = true
    presence.isStale = true
  }

  /// A watch was told: what it stood for is looked at again, which arms it anew.
  private func changed(_ path: String) {
    if path == paths.head { reader.isHeadStale = true }
    if path == paths.controller { election.isStale = true }
    if path == paths.brokers { presence.isStale = true }
    if path == paths.broker(settings.brokerID) { registration.isStale = true }
  }

  func tellConnection(_ isConnected: Bool) {
    guard link.toldConnected != isConnected else { return }
    link.toldConnected = isConnected
    events.append(.connectionChanged(isConnected: isConnected))
  }

  func checkLink(_ now: Instant) {
    guard let deadline = link.deadline, now >= deadline else { return }
    switch link.state {
    case .waiting: connect()
    case .closing: finishClose()
    case .unreached:
      link.silentUntil = nil
      tellConnection(false)
    case .connected, .lost, .closed, .refused: break
    }
  }

  private func finishClose() {
    link.state = .closed
    forgetRequests()
    events.append(.closed)
  }

  /// The broker cannot be part of this cluster. Its session is ended, so that it stands in nobody's way; `close` is still
  /// answered.
  func refuse(_ sentence: String) {
    guard !link.isEnding else { return }
    abandonSession()
    forgetRequests()
    link.state = .refused
    events.append(.refused(sentence))
    ensemble.close()
  }
}
