internal import CLinux
internal import Synchronization

/// Jobs on their way to the one thread that does them, in the order in which they were added.
final class ThreadQueue: Sendable {
  struct Entry: Sendable {
    let job: UnownedJob
    let executor: UnownedSerialExecutor
  }

  private struct State {
    var entries: [Entry] = []
    /// The first of `entries` that was not taken.
    var first = 0
    var isClosed = false
  }

  private enum Look {
    case found(Entry)
    case nothing
    case closed
  }

  private let state = Mutex(State())
  private let descriptor: Int32

  init() {
    descriptor = ottla_eventfd()
    precondition(descriptor >= 0, "the kernel refused an eventfd: errno \(-descriptor)")
  }

  deinit { _ = ottla_close(descriptor) }

  func add(_ entry: Entry) {
    state.withLock { $0.entries.append(entry) }
    ottla_eventfd_signal(descriptor)
  }

  func close() {
    state.withLock { $0.isClosed = true }
    ottla_eventfd_signal(descriptor)
  }

  /// Waits for the next one; nil when the queue is closed and empty.
  ///
  /// The signal is cleared before the next look and never after it: what is added in between signals again.
  func take() -> Entry? {
    while true {
      switch look() {
      case .found(let entry): return entry
      case .closed: return nil
      case .nothing:
        ottla_wait_readable(descriptor, -1)
        ottla_eventfd_clear(descriptor)
      }
    }
  }

  private func look() -> Look {
    state.withLock { state in
      guard state.first < state.entries.count else {
        state.entries.removeAll(keepingCapacity: true)
        state.first = 0
        return state.isClosed ? .closed : .nothing
      }
      state.first += 1
      return .found(state.entries[state.first - 1])
    }
  }
}
