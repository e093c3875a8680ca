internal import CLinux
internal import Synchronization

/// Jobs on their way to threads that wait for them.
package final class JobQueue<Job: Sendable>: Sendable {
  private struct State {
    var jobs: [Job] = []
    var first = 0
    var isClosed = false
    var count: Int { jobs.count - first }
  }

  private let state = Mutex(State())
  private let descriptor: Int32

  /// An empty queue. Needs a descriptor.
  package init() {
    descriptor = ottla_eventfd()
    precondition(descriptor >= 0, "the kernel refused an eventfd: errno \(-descriptor)")
  }

  deinit { _ = ottla_close(descriptor) }

  /// Adds a job behind those that are there.
  package func add(_ job: Job) {
    state.withLock { $0.jobs.append(job) }
    ottla_eventfd_signal(descriptor)
  }

  /// No more is added; who waits gets what there is, then nil.
  package func close() {
    state.withLock { $0.isClosed = true }
    ottla_eventfd_signal(descriptor)
  }

  /// Waits for the next job; nil when the queue is closed and empty.
  package func take() -> Job? { wait { $0.count > 0 ? [Self.removeFirst(&$0)] : nil }?.first }

  /// Waits for a job, and takes those that came with it.
  package func takeAll() -> [Job]? {
    wait { state in
      guard state.count > 0 else { return nil }
      let all = Array(state.jobs[state.first...])
      state.jobs.removeAll(keepingCapacity: true)
      state.first = 0
      return all
    }
  }

  private static func removeFirst(_ state: inout State) -> Job {
    let job = state.jobs[state.first]
    state.first += 1
    if state.first == state.jobs.count {
      state.jobs.removeAll(keepingCapacity: true)
      state.first = 0
    } else if state.first >= 1024 {
      state.jobs.removeFirst(state.first)
      state.first = 0
    }
    return job
  }

  private enum Look {
    case found([Job], isMoreLeft: Bool)
    case nothing
    case closed
  }

  private func wait(_ find: (inout State) -> [Job]?) -> [Job]? {
    while true {
      let look = state.withLock { state -> Look in
        if let found = find(&state) { return .found(found, isMoreLeft: state.count > 0 || state.isClosed) }
        return state.isClosed ? .closed : .nothing
      }
      switch look {
      case .found(let jobs, let isMoreLeft):
        // One signal may have been for several jobs, and for several who wait.
        if isMoreLeft { ottla_eventfd_signal(descriptor) }
        return jobs
      case .closed:
        ottla_eventfd_signal(descriptor)
        return nil
      case .nothing:
        ottla_wait_readable(descriptor, -1)
        ottla_eventfd_clear(descriptor)
      }
    }
  }
}
