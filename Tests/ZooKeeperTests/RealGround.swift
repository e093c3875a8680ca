import Coordination
import Dispatch
import Effects
import Primitives
import TestSupport

@testable import ZooKeeper

/// A real ZooKeeper server, and each broker on a way of its own to it.
final class RealGround: Ground {
  private let server: ZooKeeperServer
  private var brokers: [(broker: Broker, relay: Relay, ensemble: ZooKeeperEnsemble)] = []
  private let woken = DispatchSemaphore(value: 0)
  private let tools: ZooKeeperEnsemble
  private let clock = RealClock()
  private let random = SeededRandom(seed: UInt64.random(in: 0...UInt64.max))

  init() throws {
    server = try ZooKeeperServer()
    try server.start()
    tools = ZooKeeperEnsemble(servers: "127.0.0.1:\(server.port)", sessionTimeoutMs: 4000) { [woken] in woken.signal() }
    tools.connect()
  }

  deinit {
    for entry in brokers { entry.relay.set(.ended) }
    server.stop()
  }

  private func now() -> Instant { clock.now() }

  func start(_ settings: EnsembleSettings, login: String?) -> Broker {
    let relay = Relay(to: server.port)
    let ensemble = ZooKeeperEnsemble(
      servers: "127.0.0.1:\(relay.port)", sessionTimeoutMs: Int32(sessionMs), credentials: login
    ) { [woken] in woken.signal() }
    let coordination = EnsembleCoordination(ensemble: ensemble, settings: settings, time: clock, random: random)
    let broker = Broker(
      probe: CoordinationProbe(id: settings.brokerID, service: coordination), coordination: coordination)
    brokers.append((broker, relay, ensemble))
    return broker
  }

  func run(ms: Int64, until condition: () -> Bool) -> Bool {
    let end = now().advanced(byMilliseconds: ms)
    while !condition() {
      guard now() < end else { return false }
      _ = woken.wait(timeout: .now() + .milliseconds(10))
      for entry in brokers { entry.broker.turn(now()) }
    }
    return true
  }

  private func relay(of broker: Broker) -> Relay? { brokers.first { $0.broker === broker }?.relay }

  func cut(_ broker: Broker, answersOnly: Bool) { relay(of: broker)?.set(answersOnly ? .answersLost : .cut) }
  func heal(_ broker: Broker) { relay(of: broker)?.set(.whole) }

  /// The server hears nothing of it any more, not even that the connection ended.
  func kill(_ broker: Broker) {
    broker.isStopped = true
    relay(of: broker)?.set(.cut)
  }

  func stopServers() { server.stop() }
  func startServers() throws { try server.start() }

  func write(_ writes: [EnsembleWrite]) -> EnsembleError? {
    if case .failure(let error) = ask(.multi(writes)) { return error }
    return nil
  }

  func children(of path: String) -> [String] {
    if case .success(.children(let names)) = ask(.children(path, watch: false)) { return names.sorted() }
    return []
  }

  /// Asks as somebody else would, and waits for the answer.
  private func ask(_ request: EnsembleRequest) -> Result<EnsembleAnswer, EnsembleError>? {
    lastToken += 1
    let token = RequestToken(lastToken)
    let end = now().advanced(byMilliseconds: 20_000)
    tools.send(request, token: token)
    while now() < end {
      _ = woken.wait(timeout: .now() + .milliseconds(10))
      for case .completed(let answered, let result) in tools.poll() where answered == token {
        if case .failure(let error) = result, error.reason == .connectionLost {
          tools.send(request, token: token)
          continue
        }
        return result
      }
    }
    return nil
  }
  private var lastToken: UInt64 = 0
}

/// The machine's clock.
private final class RealClock: TimeSource {
  func now() -> Instant { Instant(nanoseconds: Int64(clamping: DispatchTime.now().uptimeNanoseconds)) }
  func wallClock() -> Timestamp { Timestamp(milliseconds: 1_700_000_000_000) }
}
