internal import Synchronization

/// A request to end, which may come before anybody waits for it.
final class Ending: Sendable {
  private struct State {
    var isRequested = false
    var waiter: CheckedContinuation<Void, Never>?
  }
  private let state = Mutex(State())

  func request() {
    state.withLock { state in
      state.isRequested = true
      defer { state.waiter = nil }
      return state.waiter
    }?.resume()
  }

  /// Returns when it is requested, or when the task is cancelled. The request is used up.
  func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if state.isRequested || Task.isCancelled { return true }
          state.waiter = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { state in
        defer { state.waiter = nil }
        return state.waiter
      }?.resume()
    }
    state.withLock { $0.isRequested = false }
  }
}
