internal import Runtime
internal import Synchronization

/// Why a broker could not go on, and who is to end it then.
final class HaltNote: Sendable {
  private struct State {
    var reason: String?
    var end: (@Sendable () -> Void)?
  }

  private let state = Mutex(State())

  var reason: String? { state.withLock { $0.reason } }

  func clear() { state.withLock { $0.reason = nil } }

  /// `end` is called, on a thread of its own, when the broker cannot go on.
  func whenSet(_ end: @escaping @Sendable () -> Void) { state.withLock { $0.end = end } }

  /// Called by a thread of the broker's, which must not wait for its own end.
  func set(_ reason: String) {
    let end = state.withLock { state -> (@Sendable () -> Void)? in
      guard state.reason == nil else { return nil }
      state.reason = reason
      return state.end
    }
    if let end { ShardThread(name: "ottla-testing", end).detach() }
  }
}
