import Coordination
import Dispatch
import Primitives
import Testing

@testable import ZooKeeper

@Suite struct ZooKeeperEnsembleTests {
  /// What the client says until `isEnough`, five seconds at most.
  private func events(
    of ensemble: ZooKeeperEnsemble, _ woken: DispatchSemaphore, until isEnough: ([EnsembleEvent]) -> Bool
  ) -> [EnsembleEvent] {
    var events: [EnsembleEvent] = []
    let end = DispatchTime.now() + .seconds(5)
    while !isEnough(events), DispatchTime.now() < end {
      _ = woken.wait(timeout: .now() + .milliseconds(50))
      events += ensemble.poll()
    }
    return events
  }

  @Test func serversWithoutAnAddressLoseTheSession() {
    let woken = DispatchSemaphore(value: 0)
    let ensemble = ZooKeeperEnsemble(servers: "256.0.0.1:1", sessionTimeoutMs: 1000) { woken.signal() }
    ensemble.connect()
    #expect(events(of: ensemble, woken) { !$0.isEmpty } == [.sessionLost])
  }

  @Test func nobodyListensAndItIsClosedAllTheSame() {
    let woken = DispatchSemaphore(value: 0)
    let ensemble = ZooKeeperEnsemble(
      servers: "127.0.0.1:\(Sockets.freePort())", sessionTimeoutMs: 1000, credentials: "a:b"
    ) { woken.signal() }
    ensemble.send(.sync("/"), token: RequestToken(1))
    #expect(
      events(of: ensemble, woken) { !$0.isEmpty }
        == [.completed(RequestToken(1), .failure(EnsembleError(.connectionLost)))])
    ensemble.connect()
    ensemble.close()
    #expect(events(of: ensemble, woken) { $0.contains(.closed) }.last == .closed)
  }

  @Test func theLibrarysCodesHaveAMeaning() {
    #expect(EnsembleError(code: -101) == EnsembleError(.noNode))
    #expect(EnsembleError(code: -110, part: 2) == EnsembleError(.nodeExists, part: 2))
    #expect(EnsembleError(code: -103) == EnsembleError(.badVersion))
    #expect(EnsembleError(code: -111) == EnsembleError(.notEmpty))
    #expect(EnsembleError(code: -102) == EnsembleError(.accessDenied))
    #expect(EnsembleError(code: -4) == EnsembleError(.connectionLost))
    #expect(EnsembleError(code: -112) == EnsembleError(.sessionLost))
    #expect(EnsembleError(code: -127) == EnsembleError(.other(-127)))
  }
}
