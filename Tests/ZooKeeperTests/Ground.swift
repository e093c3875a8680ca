import Cluster
import Coordination
import Effects
import Primitives
import TestSupport
import Testing

/// Where brokers meet in a test of the contract: a simulated ensemble, or a real one.
protocol Ground: AnyObject {
  /// Starts a broker's coordination, on a session of 2.5 seconds.
  func start(_ settings: EnsembleSettings, login: String?) -> Broker
  /// Lets time pass, and everybody take in what they are told, until `condition` holds; false when it does not within `ms`.
  func run(ms: Int64, until condition: () -> Bool) -> Bool
  /// Nothing gets through between the broker and the ensemble.
  func cut(_ broker: Broker, answersOnly: Bool)
  func heal(_ broker: Broker)
  /// The broker's process dies.
  func kill(_ broker: Broker)
  /// All servers stop, and start again with what they had.
  func stopServers()
  func startServers() throws
  /// Somebody with tools changes nodes. Returns why it did not work.
  func write(_ writes: [EnsembleWrite]) -> EnsembleError?
  /// The names below a node.
  func children(of path: String) -> [String]
}

/// A broker's coordination on a ground.
final class Broker {
  let probe: CoordinationProbe
  let coordination: EnsembleCoordination
  var isStopped = false

  init(probe: CoordinationProbe, coordination: EnsembleCoordination) {
    self.probe = probe
    self.coordination = coordination
  }

  var isLeading: Bool { probe.controllerEpoch != nil && !isStopped }

  func turn(_ now: Instant) {
    guard !isStopped else { return }
    repeat { probe.poll() } while coordination.tick(now) == now
  }
}

let sessionMs: Int64 = 2500

extension Ground {
  /// Starts broker `id` and registers it.
  func start(
    _ id: Int32, run: UInt64 = 1, data: UInt64? = nil, login: String? = nil,
    _ adjust: (inout EnsembleSettings) -> Void = { _ in }
  ) -> Broker {
    var settings = EnsembleSettings(brokerID: BrokerID(id), chroot: "/contract/a")
    adjust(&settings)
    let broker = start(settings, login: login)
    broker.coordination.register(.sample(id, run: run, data: data))
    return broker
  }

  func run(until condition: () -> Bool) -> Bool { run(ms: 20_000, until: condition) }

  /// Lets `ms` pass.
  func wait(ms: Int64) { _ = run(ms: ms) { false } }
}

/// The grounds that there are here.
enum GroundKind: String, CaseIterable, CustomTestStringConvertible {
  case simulated, real

  var testDescription: String { rawValue }

  /// Without the package `zookeeper` the real one is left out, and the run says so.
  static let available: [GroundKind] = {
    if ZooKeeperServer.isInstalled { return allCases }
    print("ottla: no tests with a real ZooKeeper: the package zookeeper is not installed (scripts/packages test)")
    return [.simulated]
  }()

  func make() throws -> any Ground {
    switch self {
    case .simulated: SimulatedGround()
    case .real: try RealGround()
    }
  }
}

/// Records what of the contract was broken.
func expectNoViolations(_ brokers: Broker...) {
  for broker in brokers { #expect(broker.probe.violations == []) }
}

/// The first of `brokers` that is the controller, as far as it knows.
func controller(of brokers: [Broker]) -> Broker? { brokers.first(where: \.isLeading) }

extension Ground {
  /// Three brokers, one of them the controller that sees all.
  func three(_ adjust: (inout EnsembleSettings) -> Void = { _ in }) throws -> (leader: Broker, others: [Broker]) {
    let brokers = [1, 2, 3].map { start($0, adjust) }
    #expect(
      run {
        brokers.filter(\.isLeading).count == 1 && brokers.contains { $0.probe.present?.count == 3 }
          && brokers.allSatisfy {
            $0.probe.isLoaded && $0.probe.epoch != nil && $0.probe.controller?.id ?? .none != .none
          }
      })
    let elected = try #require(controller(of: brokers))
    return (elected, brokers.filter { $0 !== elected })
  }

  /// Appends and waits for the answer; nil when it failed.
  func append(_ broker: Broker, _ token: UInt64, _ records: [MetadataRecord]) -> Offset? {
    let token = RequestToken(token)
    broker.probe.append(records, token: token)
    _ = run { broker.probe.pending == nil }
    return broker.probe.appended[token]
  }
}
