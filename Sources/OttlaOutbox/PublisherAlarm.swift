internal import Synchronization

/// Ends the sleep of publishers before its time.
final class PublisherAlarm: Sendable {
  private struct State {
    var ringCount = 0
    var lastSleeper = 0
    var sleepers: [Int: CheckedContinuation<Void, Never>] = [:]
  }
  private let state = Mutex(State())

  /// How often it has rung.
  var ringCount: Int { state.withLock { $0.ringCount } }

  func ring() {
    let sleepers = state.withLock { state in
      state.ringCount += 1
      defer { state.sleepers = [:] }
      return state.sleepers
    }
    for sleeper in sleepers.values { sleeper.resume() }
  }

  /// Returns after `duration`, or as soon as it has rung more than `seen` times, or when the task is cancelled.
  func sleep(for duration: Duration, since seen: Int) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { try? await Task.sleep(for: duration) }
      group.addTask { await self.ringing(since: seen) }
      await group.next()
      group.cancelAll()
    }
  }

  private func ringing(since seen: Int) async {
    let number = state.withLock { state in
      state.lastSleeper += 1
      return state.lastSleeper
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if state.ringCount != seen || Task.isCancelled { return true }
          state.sleepers[number] = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.sleepers.removeValue(forKey: number) }?.resume()
    }
  }
}
