internal import Coordination
internal import Synchronization

/// Where the ensemble leaves what it has to say to one broker, for the broker to fetch.
///
/// Sessions are counted: what belongs to an earlier one than the present is dropped, whenever it comes.
final class EnsembleInbox: Sendable {
  private struct State {
    var session: UInt64 = 0
    var events: [EnsembleEvent] = []
  }

  private let state = Mutex(State())
  private let wake: @Sendable () -> Void

  /// - Parameter wake: called on any thread when something has come.
  init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

  /// Begins another session, and forgets what the one before it said.
  func beginSession() -> UInt64 {
    state.withLock { state in
      state.session += 1
      state.events = []
      return state.session
    }
  }

  func add(_ events: [EnsembleEvent], of session: UInt64) {
    let isNews = state.withLock { state in
      guard state.session == session, !events.isEmpty else { return false }
      state.events += events
      return true
    }
    if isNews { wake() }
  }

  func takeAll() -> [EnsembleEvent] {
    state.withLock { state in
      let events = state.events
      state.events = []
      return events
    }
  }
}
