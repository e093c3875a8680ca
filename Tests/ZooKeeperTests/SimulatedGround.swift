import Coordination
import Effects
import Primitives
import Simulation
import TestSupport

final class SimulatedGround: Ground {
  private let ensemble = SimulatedEnsemble(seed: 7)
  private var brokers: [(broker: Broker, client: SimulatedEnsembleClient)] = []

  func start(_ settings: EnsembleSettings, login: String?) -> Broker {
    let client = ensemble.client(sessionTimeoutMs: sessionMs, login: login)
    let coordination = EnsembleCoordination(
      ensemble: client, settings: settings, time: EnsembleClock(ensemble),
      random: SeededRandom(seed: UInt64(brokers.count) + 1))
    let broker = Broker(
      probe: CoordinationProbe(id: settings.brokerID, service: coordination), coordination: coordination)
    brokers.append((broker, client))
    return broker
  }

  func run(ms: Int64, until condition: () -> Bool) -> Bool {
    let end = ensemble.now.advanced(byMilliseconds: ms)
    while !condition() {
      guard ensemble.now < end else { return false }
      ensemble.advance(to: ensemble.now.advanced(byMilliseconds: 5))
      for (broker, _) in brokers { broker.turn(ensemble.now) }
    }
    return true
  }

  private func client(of broker: Broker) -> SimulatedEnsembleClient? {
    brokers.first { $0.broker === broker }?.client
  }

  func cut(_ broker: Broker, answersOnly: Bool) { client(of: broker)?.cut(answersOnly: answersOnly) }
  func heal(_ broker: Broker) { client(of: broker)?.heal() }

  func kill(_ broker: Broker) {
    broker.isStopped = true
    client(of: broker)?.kill()
  }

  func stopServers() { ensemble.loseQuorum() }
  func startServers() { ensemble.regainQuorum() }
  func write(_ writes: [EnsembleWrite]) -> EnsembleError? { ensemble.write(writes) }

  func children(of path: String) -> [String] {
    ensemble.paths.filter { $0.hasPrefix(path + "/") }.map { String($0.dropFirst(path.count + 1)) }
      .filter { !$0.contains("/") }
  }
}

/// The time of a simulated ensemble.
private final class EnsembleClock: TimeSource {
  private let ensemble: SimulatedEnsemble
  init(_ ensemble: SimulatedEnsemble) { self.ensemble = ensemble }
  func now() -> Instant { ensemble.now }
  func wallClock() -> Timestamp { Timestamp(milliseconds: 1_700_000_000_000 + ensemble.now.nanoseconds / 1_000_000) }
}
