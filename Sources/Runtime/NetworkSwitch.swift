internal import Synchronization

/// What of a broker's network is cut: for tests of what happens then.
///
/// A cut connection ends, and the next one comes to nothing. Whoever changes the switch of a running broker calls
/// `RunningBroker.applyNetwork` after it.
package final class NetworkSwitch: Sendable {
  private struct State {
    var isCut = false
    var blockedPorts: Set<UInt16> = []
  }

  private let state = Mutex(State())

  package init() {}

  /// Cuts everything: clients, other brokers, both ways.
  package func cut() { state.withLock { $0.isCut = true } }
  /// Cuts the connections that the broker itself makes to a port.
  package func block(port: UInt16) { state.withLock { _ = $0.blockedPorts.insert(port) } }
  /// Cuts nothing any more.
  package func heal() { state.withLock { $0 = State() } }

  /// Whether connections are taken.
  var takesConnections: Bool { state.withLock { !$0.isCut } }
  /// Whether a connection to `port` may be.
  func lets(to port: UInt16) -> Bool { state.withLock { !$0.isCut && !$0.blockedPorts.contains(port) } }
}
