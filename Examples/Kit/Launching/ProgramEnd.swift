internal import Dispatch
internal import Glibc
internal import Synchronization

/// When a program has to end: somebody asks it to (SIGTERM, or SIGINT, which is Ctrl-C), or a part of it cannot go on.
///
/// ```swift
/// let end = ProgramEnd()
/// // ... servers start ...
/// let reason = await end.wait()
/// // ... and stop ...
/// endProgram(status: reason == nil ? 0 : 1)
/// ```
///
/// Can become: awaited, ended. The first end counts.
package final class ProgramEnd: Sendable {
  private enum State {
    case open([CheckedContinuation<String?, Never>])
    case ended(reason: String?)
  }
  private let state = Mutex(State.open([]))

  /// When it returns, both signals end the program in order; before, they end it as they end any.
  package init() {
    let isWatched = DispatchSemaphore(value: 0)
    for number in [SIGTERM, SIGINT] {
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [weak self] in
        self?.request(because: nil)
        // The source lives as long as its handler, and that is for ever: nobody cancels it.
        withExtendedLifetime(source) {}
      }
      source.setRegistrationHandler { isWatched.signal() }
      source.resume()
      isWatched.wait()
    }
  }

  /// Ends the wait.
  ///
  /// - Parameter reason: what has failed, as a sentence; nil where nothing has.
  package func request(because reason: String?) {
    let waiting = state.withLock { state -> [CheckedContinuation<String?, Never>] in
      guard case .open(let waiting) = state else { return [] }
      state = .ended(reason: reason)
      return waiting
    }
    for continuation in waiting { continuation.resume(returning: reason) }
  }

  /// Waits for the end.
  ///
  /// - Returns: what has failed; nil where the program was asked to end.
  package func wait() async -> String? {
    await withCheckedContinuation { continuation in
      let known = state.withLock { state -> String?? in
        switch state {
        case .open(let waiting):
          state = .open(waiting + [continuation])
          return nil
        case .ended(let reason): return .some(reason)
        }
      }
      if let known { continuation.resume(returning: known) }
    }
  }
}
