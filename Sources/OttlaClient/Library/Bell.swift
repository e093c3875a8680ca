internal import Synchronization

/// Those who wait for something to change, first come, first served: room in a queue, or records in one.
///
/// Interleaving that must not lose a wake-up: a task finds nothing; what it looks for comes, and nobody waits yet; the task begins to
/// wait, for ever. So a task looks at `rings` before it tries, and `wait` returns at once where the bell has rung since. It
/// announces itself before it looks again, and a ring is counted before it looks for waiters: one of both sees the other.
final class Bell: Sendable {
  private struct Waiter {
    let number: UInt64
    let continuation: CheckedContinuation<Void, Never>
  }
  private struct Line {
    var waiters: [Waiter] = []
    var nextNumber: UInt64 = 0
  }
  private let line = Mutex(Line())
  private let waiting = Atomic<Int>(0)
  private let ringCount = Atomic<UInt64>(0)

  /// How often it has rung so far.
  var rings: UInt64 { ringCount.load(ordering: .sequentiallyConsistent) }

  /// So many of those who wait may try.
  func ring(_ count: Int = 1) {
    ringCount.add(1, ordering: .sequentiallyConsistent)
    if waiting.load(ordering: .sequentiallyConsistent) > 0 { wake(count) }
  }

  /// All may try.
  func ringAll() {
    ringCount.add(1, ordering: .sequentiallyConsistent)
    if waiting.load(ordering: .sequentiallyConsistent) > 0 { wake(.max) }
  }

  private func wake(_ count: Int) {
    let woken = line.withLock { line in
      let first = line.waiters.prefix(count)
      line.waiters.removeFirst(first.count)
      waiting.subtract(first.count, ordering: .sequentiallyConsistent)
      return Array(first)
    }
    for waiter in woken { waiter.continuation.resume() }
  }

  /// Returns when it has rung since `rings` was `seen`, or when the task is cancelled.
  func wait(since seen: UInt64) async {
    let number = line.withLock { line in
      line.nextNumber &+= 1
      return line.nextNumber
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let mustWait = line.withLock { line in
          waiting.add(1, ordering: .sequentiallyConsistent)
          guard rings == seen, !Task.isCancelled else {
            waiting.subtract(1, ordering: .sequentiallyConsistent)
            return false
          }
          line.waiters.append(Waiter(number: number, continuation: continuation))
          return true
        }
        if !mustWait { continuation.resume() }
      }
    } onCancel: {
      let cancelled = line.withLock { line -> Waiter? in
        guard let index = line.waiters.firstIndex(where: { $0.number == number }) else { return nil }
        waiting.subtract(1, ordering: .sequentiallyConsistent)
        return line.waiters.remove(at: index)
      }
      cancelled?.continuation.resume()
    }
  }
}
