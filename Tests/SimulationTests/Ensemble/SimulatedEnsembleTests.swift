import Coordination
import Primitives
import Testing

@testable import Simulation

/// A client and what it was told.
private final class Told {
  let client: SimulatedEnsembleClient
  let ensemble: SimulatedEnsemble
  var events: [EnsembleEvent] = []
  private var lastToken: UInt64 = 0

  init(_ ensemble: SimulatedEnsemble, login: String? = nil) {
    self.ensemble = ensemble
    client = ensemble.client(sessionTimeoutMs: 1000, login: login)
    client.connect()
    run(ms: 500)
  }

  func run(ms: Int64) {
    ensemble.advance(to: ensemble.now.advanced(byMilliseconds: ms))
    events += client.poll()
  }

  func send(_ request: EnsembleRequest) -> RequestToken {
    lastToken += 1
    client.send(request, token: RequestToken(lastToken))
    return RequestToken(lastToken)
  }

  func ask(_ request: EnsembleRequest, ms: Int64 = 200) -> Result<EnsembleAnswer, EnsembleError>? {
    let token = send(request)
    run(ms: ms)
    return result(of: token)
  }

  func result(of token: RequestToken) -> Result<EnsembleAnswer, EnsembleError>? {
    for case .completed(let answered, let result) in events where answered == token { return result }
    return nil
  }
}

private let done = Result<EnsembleAnswer, EnsembleError>.success(.done)

@Suite struct SimulatedEnsembleTests {
  @Test func aMultiIsDoneAsAWholeOrNotAtAll() {
    let told = Told(SimulatedEnsemble(seed: 1))
    #expect(told.ask(.multi([.create(NodeCreation("/a", [1])), .create(NodeCreation("/a/b"))])) == done)
    let failed = told.ask(
      .multi([.set("/a", [2], version: 0), .check("/a", version: 1), .create(NodeCreation("/a/b"))]))
    #expect(failed == .failure(EnsembleError(.nodeExists, part: 2)))
    #expect(told.ensemble.data(at: "/a") == [1])
    #expect(told.ask(.delete("/a", version: 0)) == .failure(EnsembleError(.notEmpty)))
    #expect(told.ask(.set("/a", [2], version: 7)) == .failure(EnsembleError(.badVersion)))
    #expect(told.ask(.get("/x", watch: false)) == .failure(EnsembleError(.noNode)))
    #expect(told.ask(.create(NodeCreation("/x/y"))) == .failure(EnsembleError(.noNode)))
  }

  @Test func aWatchIsToldOnce() {
    let ensemble = SimulatedEnsemble(seed: 2)
    let told = Told(ensemble)
    _ = told.ask(.exists("/a", watch: true))
    _ = told.ask(.children("/", watch: true))
    ensemble.write([.create(NodeCreation("/a"))])
    ensemble.write([.set("/a", [1], version: 0)])
    ensemble.write([.create(NodeCreation("/b"))])
    told.run(ms: 100)
    #expect(told.events.filter { $0 == .changed("/a") }.count == 1)
    #expect(told.events.filter { $0 == .changed("/") }.count == 1)
  }

  /// A server that lags shows what was; a sync brings it up; and what a session saw it never sees undone.
  @Test func readsMayBeStaleUntilASync() {
    let ensemble = SimulatedEnsemble(seed: 3, serverCount: 1)
    let told = Told(ensemble)
    ensemble.lag(server: 0, ms: 2000)
    ensemble.write([.create(NodeCreation("/a"))])
    #expect(told.ask(.exists("/a", watch: false)) == .failure(EnsembleError(.noNode)))
    #expect(told.ask(.sync("/"), ms: 2100) == done)
    guard case .success = told.ask(.exists("/a", watch: false)) else {
      Issue.record("a read behind a sync is stale")
      return
    }
  }

  @Test func aSessionThatIsNotHeardOfEndsWithItsNodesAndLearnsItLate() {
    let ensemble = SimulatedEnsemble(seed: 4)
    let told = Told(ensemble)
    #expect(told.ask(.create(NodeCreation("/a", isEphemeral: true))) == done)
    told.client.cut()
    told.run(ms: 900)
    #expect(ensemble.data(at: "/a") != nil && told.events.last == .disconnected)
    told.run(ms: 400)
    #expect(ensemble.data(at: "/a") == nil && told.events.last == .disconnected)
    told.client.heal()
    told.run(ms: 500)
    #expect(told.events.last == .sessionLost)
  }

  @Test func withoutAQuorumNoSessionEnds() {
    let ensemble = SimulatedEnsemble(seed: 5)
    let told = Told(ensemble)
    #expect(told.ask(.create(NodeCreation("/a", isEphemeral: true))) == done)
    ensemble.loseQuorum()
    told.run(ms: 20_000)
    #expect(told.events.last == .disconnected)
    ensemble.regainQuorum()
    told.run(ms: 500)
    guard case .connected(let session)? = told.events.last else {
      Issue.record("not connected again")
      return
    }
    #expect(session.id == told.client.session && ensemble.data(at: "/a") != nil)
  }

  @Test func anAnswerIsLostBeforeOrAfterItsWriteWasApplied() {
    for (fault, isThere) in [
      (LostAnswer.beforeApplying, false), (.afterApplying, true), (.applyingLater(ms: 50), true),
    ] {
      let ensemble = SimulatedEnsemble(seed: 6)
      let told = Told(ensemble)
      told.client.loseNextAnswer(fault)
      #expect(told.ask(.create(NodeCreation("/a"))) == .failure(EnsembleError(.connectionLost)))
      #expect((ensemble.data(at: "/a") != nil) == isThere)
    }
  }

  @Test func aPausedClientLosesItsSession() {
    let ensemble = SimulatedEnsemble(seed: 7)
    let told = Told(ensemble)
    told.client.pause()
    told.run(ms: 3000)
    told.client.resume()
    told.run(ms: 500)
    #expect(told.events.suffix(2) == [.disconnected, .sessionLost])
  }

  @Test func closingTakesEphemeralNodesAway() {
    let ensemble = SimulatedEnsemble(seed: 8)
    let told = Told(ensemble)
    _ = told.ask(.create(NodeCreation("/a", isEphemeral: true)))
    told.client.close()
    told.run(ms: 50)
    #expect(told.events.last == .closed && ensemble.data(at: "/a") == nil)
  }

  @Test func nodesOfALoginAreClosedToOthers() {
    let ensemble = SimulatedEnsemble(seed: 9)
    let owner = Told(ensemble, login: "a:b")
    #expect(owner.ask(.create(NodeCreation("/a"))) == done)
    #expect(Told(ensemble).ask(.get("/a", watch: false)) == .failure(EnsembleError(.accessDenied)))
    ensemble.refusedLogins = ["c:d"]
    #expect(Told(ensemble, login: "c:d").events == [.loginRefused])
  }

  /// The same seed is the same run.
  @Test func aSeedDecidesEverything() {
    func run(_ seed: UInt64) -> [EnsembleEvent] {
      let ensemble = SimulatedEnsemble(seed: seed)
      let tolds = [Told(ensemble), Told(ensemble)]
      for number in 0..<30 {
        for told in tolds { _ = told.send(.create(NodeCreation("/n\(number)", isEphemeral: true))) }
        if number == 10 { tolds[0].client.cut() }
        if number == 20 { tolds[0].client.heal() }
        for told in tolds { told.run(ms: 100) }
      }
      return tolds.flatMap(\.events)
    }
    #expect(run(11) == run(11))
    #expect(run(11) != run(12))
  }
}
