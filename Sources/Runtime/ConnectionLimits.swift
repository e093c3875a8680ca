internal import Synchronization

/// How many connections there are, in all and from each address: one count for all loops.
final class ConnectionLimits: Sendable {
  private struct Counts {
    var total = 0
    var byHost: [String: Int] = [:]
  }

  enum Refusal: Sendable {
    case total(limit: Int)
    case host(limit: Int)
  }

  private let counts = Mutex(Counts())

  /// Counts a connection in, unless it is one too many.
  func enter(_ host: String, totalMax: Int, hostMax: Int) -> Refusal? {
    counts.withLock { counts in
      if counts.total >= totalMax { return .total(limit: totalMax) }
      let fromHost = counts.byHost[host, default: 0]
      if fromHost >= hostMax { return .host(limit: hostMax) }
      counts.total += 1
      counts.byHost[host] = fromHost + 1
      return nil
    }
  }

  func leave(_ host: String) {
    counts.withLock { counts in
      counts.total -= 1
      let rest = (counts.byHost[host] ?? 1) - 1
      counts.byHost[host] = rest > 0 ? rest : nil
    }
  }
}
