import Cluster
import Coordination
import Effects
import Primitives
import Simulation
import TestSupport

/// Brokers on one simulated ensemble, and the time of all of them.
final class SimulatedCluster {
  let ensemble: SimulatedEnsemble
  let clock: any TimeSource
  private(set) var brokers: [Broker] = []
  private let seed: UInt64
  private var lastRun: UInt64 = 0

  final class Broker {
    let client: SimulatedEnsembleClient
    let probe: CoordinationProbe
    let coordination: EnsembleCoordination
    var isPaused = false
    var isDead = false
    var nextTick: Instant?

    init(client: SimulatedEnsembleClient, probe: CoordinationProbe, coordination: EnsembleCoordination) {
      self.client = client
      self.probe = probe
      self.coordination = coordination
    }

    var isLeading: Bool { probe.controllerEpoch != nil && !isDead }
  }

  init(seed: UInt64 = 1) {
    self.seed = seed
    ensemble = SimulatedEnsemble(seed: seed)
    clock = EnsembleClock(ensemble)
  }

  /// Starts a broker, registered unless told otherwise.
  @discardableResult
  func start(
    _ id: Int32, data: UInt64? = nil, registers: Bool = true, login: String? = nil, sessionTimeoutMs: Int64 = 6000,
    _ adjust: (inout EnsembleSettings) -> Void = { _ in }
  ) -> Broker {
    lastRun += 1
    var settings = EnsembleSettings(brokerID: BrokerID(id), chroot: "/ottla/test")
    adjust(&settings)
    let client = ensemble.client(sessionTimeoutMs: sessionTimeoutMs, login: login)
    let coordination = EnsembleCoordination(
      ensemble: client, settings: settings, time: clock, random: SeededRandom(seed: seed &* 1000 &+ lastRun))
    let probe = CoordinationProbe(id: BrokerID(id), service: coordination)
    let broker = Broker(client: client, probe: probe, coordination: coordination)
    brokers.append(broker)
    if registers { coordination.register(.sample(id, run: lastRun, data: data)) }
    return broker
  }

  /// The process dies.
  func kill(_ broker: Broker) {
    broker.isDead = true
    broker.client.kill()
    brokers.removeAll { $0 === broker }
  }

  /// Lets `ms` pass; every broker that runs takes in what it is told.
  func run(ms: Int64) {
    let end = ensemble.now.advanced(byMilliseconds: ms)
    // What was asked for since may have a deadline.
    for broker in brokers where !broker.isPaused { turn(broker) }
    while true {
      let next = min(end, ensemble.nextAction)
      ensemble.advance(to: next)
      for broker in brokers where !broker.isPaused {
        let isDue = broker.nextTick.map { $0 <= ensemble.now } ?? false
        guard broker.client.hasEvents || isDue else { continue }
        turn(broker)
      }
      if next == end { return }
    }
  }

  func turn(_ broker: Broker) {
    repeat {
      broker.probe.poll()
      broker.nextTick = broker.coordination.tick(ensemble.now)
    } while broker.nextTick == ensemble.now
  }

  /// Lets time pass until `condition` holds; false when it does not within `ms`.
  func run(ms: Int64, until condition: () -> Bool) -> Bool {
    let end = ensemble.now.advanced(byMilliseconds: ms)
    while !condition() {
      guard ensemble.now < end else { return false }
      run(ms: 10)
    }
    return true
  }

  var leaders: [Broker] { brokers.filter(\.isLeading) }
}

/// The time of a simulated ensemble.
private final class EnsembleClock: TimeSource {
  private let ensemble: SimulatedEnsemble
  init(_ ensemble: SimulatedEnsemble) { self.ensemble = ensemble }
  func now() -> Instant { ensemble.now }
  func wallClock() -> Timestamp { Timestamp(milliseconds: 1_700_000_000_000 + ensemble.now.nanoseconds / 1_000_000) }
}
