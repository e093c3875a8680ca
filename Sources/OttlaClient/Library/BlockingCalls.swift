internal import Synchronization

/// Runs calls that block, one after the other, on a thread that lives as long as there are any.
///
/// The cooperative pool has a thread a core: what waits for a broker must not wait there.
final class BlockingCalls: Sendable {
  private struct State {
    var waiting: [@Sendable () -> Void] = []
    var isRunning = false
  }
  private let state = Mutex(State())

  /// Runs `work` after the calls before it. Cancelling the task does not stop it: it has a time limit of its own.
  func run<Value: Sendable>(
    _ work: @escaping @Sendable () -> Result<Value, ClientError>
  ) async throws(ClientError) -> Value {
    let result = await withCheckedContinuation { continuation in
      submit { continuation.resume(returning: work()) }
    }
    return try result.get()
  }

  /// Runs `job` after the calls before it; nobody waits for it.
  func submit(_ job: @escaping @Sendable () -> Void) {
    let mustStart = state.withLock { state in
      state.waiting.append(job)
      defer { state.isRunning = true }
      return !state.isRunning
    }
    guard mustStart else { return }
    // Where the kernel gives no thread, this one has to do: late is better than never.
    do throws(ClientError) { try LibraryThread.start { self.drain() } } catch { drain() }
  }

  private func drain() {
    while true {
      let job = state.withLock { state -> (@Sendable () -> Void)? in
        guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
        state.isRunning = false
        return nil
      }
      guard let job else { return }
      job()
    }
  }
}
