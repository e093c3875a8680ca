package import Coordination
package import Primitives

/// What becomes of a write whose answer gets lost.
package enum LostAnswer: Sendable {
  case beforeApplying
  case afterApplying
  /// It is still on its way when the client is back.
  case applyingLater(ms: Int)
}

/// A client of a `SimulatedEnsemble`.
package final class SimulatedEnsembleClient: Ensemble {
  /// It outlives its clients: whoever made it holds it.
  unowned let ensemble: SimulatedEnsemble
  let timeoutMs: Int64
  let login: String?

  /// Whose session it is; nil before the first server was reached.
  package private(set) var session: Int64?
  /// Nothing gets through between this client and any server.
  package private(set) var isCut = false
  private var isPaused = false
  /// The next write meets it.
  var answerFault: LostAnswer?
  /// So many of the next requests are served as those of somebody without a login: they overtake it.
  package var requestsAheadOfLogin = 0
  private(set) var connection: SimulatedConnection?
  /// The newest change that this client may have seen.
  private(set) var seen: Int64 = 0

  private var events: [EnsembleEvent] = []
  private var outbox: [(request: EnsembleRequest, token: RequestToken)] = []
  private var inFlight: [RequestToken] = []
  /// Counts `connect`s: attempts of an earlier one come to nothing.
  private var attemptNumber = 0
  private var wantsSession = false
  private var heardAt = Instant(nanoseconds: 0)

  init(ensemble: SimulatedEnsemble, timeoutMs: Int64, login: String?) {
    self.ensemble = ensemble
    self.timeoutMs = timeoutMs
    self.login = login
  }

  // -- what its owner asks for

  package func connect() {
    abandon()
    wantsSession = true
    // The old session is not ended: this is a process that lost it, or never had one.
    session = nil
    seen = 0
    events = []
    ensemble.schedule(.attempt(self, number: attemptNumber), inMs: ensemble.latency())
  }

  package func send(_ request: EnsembleRequest, token: RequestToken) {
    guard wantsSession else { return events.append(.completed(token, .failure(EnsembleError(.sessionLost)))) }
    guard connection != nil else { return outbox.append((request, token)) }
    transmit(request, token)
  }

  package func close() {
    if let session, let connection, !connection.isBroken, !isCut { ensemble.end(session) }
    abandon()
    events.append(.closed)
  }

  package func poll() -> [EnsembleEvent] {
    let told = events
    events = []
    return told
  }

  /// Whether there is anything to poll.
  package var hasEvents: Bool { !events.isEmpty }

  // -- what a test does to it

  /// Cuts the way to all servers; with `answersOnly` what is sent still arrives, until the client gives up.
  package func cut(answersOnly: Bool = false) {
    isCut = true
    guard let connection else { return }
    if answersOnly {
      connection.losesAnswers = true
    } else {
      connection.isBroken = true
      ensemble.forget(connection)
    }
  }

  package func heal() { isCut = false }

  /// The process stands still, as far as the ensemble sees. Do not poll it meanwhile.
  package func pause() { isPaused = true }

  package func resume() { isPaused = false }

  /// The answer of the next write gets lost, with the connection.
  package func loseNextAnswer(_ fault: LostAnswer) { answerFault = fault }

  /// The process is gone: nothing is told, and its session ends by itself.
  package func kill() {
    abandon()
    wantsSession = false
  }

  // -- the connection

  private func abandon() {
    attemptNumber += 1
    if let connection {
      connection.isBroken = true
      ensemble.forget(connection)
    }
    connection = nil
    outbox = []
    inFlight = []
    wantsSession = false
  }

  private func transmit(_ request: EnsembleRequest, _ token: RequestToken) {
    guard let connection else { return }
    inFlight.append(token)
    let time = max(connection.lastArrival, ensemble.now.advanced(byMilliseconds: Int64(ensemble.latency())))
    connection.lastArrival = time
    ensemble.schedule(.arrive(connection, request, token), at: time)
  }

  func attempt(number: Int) {
    guard number == attemptNumber, wantsSession, connection == nil else { return }
    if let login, ensemble.refusedLogins.contains(login) { return events.append(.loginRefused) }
    guard !isPaused, let server = ensemble.server(for: self) else { return tryLater() }
    if let session, ensemble.sessions[session] == nil {
      wantsSession = false
      events += outbox.map { .completed($0.token, .failure(EnsembleError(.sessionLost))) }
      outbox = []
      return events.append(.sessionLost)
    }
    let id = session ?? ensemble.beginSession(timeoutMs: timeoutMs)
    session = id
    let opened = SimulatedConnection(client: self, server: server, session: id)
    connection = opened
    heardAt = ensemble.now
    ensemble.open(opened)
    events.append(.connected(EnsembleSession(id: id, timeoutMs: timeoutMs)))
    let waiting = outbox
    outbox = []
    for (request, token) in waiting { transmit(request, token) }
  }

  private func tryLater() {
    ensemble.schedule(.attempt(self, number: attemptNumber), inMs: 20 + ensemble.random.below(200))
  }

  func receive(_ event: EnsembleEvent, seen: Int64, on connection: SimulatedConnection) {
    guard connection === self.connection else { return }
    self.seen = max(self.seen, seen)
    if case .completed = event { inFlight.removeFirst() }
    events.append(event)
  }

  /// The client notices that its connection is gone, and looks for another server.
  func lose(_ connection: SimulatedConnection) {
    guard connection === self.connection else { return }
    connection.isBroken = true
    ensemble.forget(connection)
    self.connection = nil
    events += inFlight.map { .completed($0, .failure(EnsembleError(.connectionLost))) }
    inFlight = []
    events.append(.disconnected)
    tryLater()
  }

  func beat() {
    guard let connection, !isPaused else { return }
    if !connection.isBroken { ensemble.sessions[connection.session]?.heardAt = ensemble.now }
    if !connection.isBroken, !connection.losesAnswers { heardAt = ensemble.now }
    if ensemble.now.milliseconds(since: heardAt) > timeoutMs * 2 / 3 { lose(connection) }
  }
}
