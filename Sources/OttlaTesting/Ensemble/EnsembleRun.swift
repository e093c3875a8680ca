internal import CLinux
internal import Coordination
internal import Primitives
internal import Simulation

/// The life of the ensemble's thread: it alone touches the simulated ensemble.
struct EnsembleRun {
  /// A client, and where what it is told goes.
  private struct Attached {
    let broker: Int
    let client: SimulatedEnsembleClient
    let inbox: EnsembleInbox
    /// As the inbox counts them.
    var session: UInt64 = 0
  }

  private let orders: EnsembleThread.Orders
  private let ensemble = SimulatedEnsemble(seed: 1, serverCount: 1, latencyMsMax: 0)
  private var clients: [Int: Attached] = [:]
  private var cutBrokers: Set<Int> = []
  private let start = ottla_monotonic_ns()
  /// How far it is ahead of the machine's clock.
  private var passedNanoseconds: Int64 = 0

  init(_ orders: EnsembleThread.Orders) { self.orders = orders }

  private var now: Instant { Instant(nanoseconds: ottla_monotonic_ns() - start + passedNanoseconds) }

  mutating func untilStopped() {
    while true {
      let waitMs = (ensemble.nextAction.nanoseconds - now.nanoseconds + 999_999) / 1_000_000
      let commands = orders.take(waitingMs: Int32(clamping: max(0, waitMs)))
      ensemble.advance(to: now)
      var passed: [Signal] = []
      for command in commands {
        if case .stop = command {
          for signal in passed { signal.set() }
          return
        }
        perform(command, &passed)
      }
      // Nothing is on its way for long: what was sent arrives now, and so does what it leads to.
      ensemble.advance(to: now)
      tell()
      for signal in passed { signal.set() }
    }
  }

  private mutating func perform(_ command: EnsembleThread.Command, _ passed: inout [Signal]) {
    switch command {
    case .attach(let number, let broker, let timeoutMs, let inbox):
      let client = ensemble.client(sessionTimeoutMs: timeoutMs)
      if cutBrokers.contains(broker) { client.cut() }
      clients[number] = Attached(broker: broker, client: client, inbox: inbox)
    case .connect(let number, let session):
      clients[number]?.session = session
      clients[number]?.client.connect()
    case .send(let number, let request, let token): clients[number]?.client.send(request, token: token)
    case .close(let number, let session):
      clients[number]?.session = session
      clients[number]?.client.close()
    case .lose(let broker):
      for number in numbers(of: broker) {
        guard let lost = clients.removeValue(forKey: number)?.client else { continue }
        lost.kill()
        ensemble.expire(lost)
      }
    case .cut(let broker):
      cutBrokers.insert(broker)
      for number in numbers(of: broker) { clients[number]?.client.cut() }
    case .heal:
      cutBrokers = []
      for number in clients.keys.sorted() { clients[number]?.client.heal() }
    case .pass(let milliseconds, let signal):
      passedNanoseconds += milliseconds * 1_000_000
      ensemble.advance(to: now)
      passed.append(signal)
    case .stop: break
    }
  }

  private func numbers(of broker: Int) -> [Int] {
    clients.keys.sorted().filter { clients[$0]?.broker == broker }
  }

  private func tell() {
    for number in clients.keys.sorted() {
      guard let attached = clients[number], attached.client.hasEvents else { continue }
      attached.inbox.add(attached.client.poll(), of: attached.session)
    }
  }
}
