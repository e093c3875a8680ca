internal import Synchronization

/// Threads that are started, and waited for together.
package final class ThreadList: Sendable {
  package init() {}

  private let threads = Mutex<[ThreadBox]>([])

  /// A thread handle in an array, which takes no noncopyable values.
  private final class ThreadBox: Sendable {
    private let thread: Mutex<ShardThread?>
    init(_ thread: consuming ShardThread) { self.thread = Mutex(consume thread) }
    func join() {
      if let thread = thread.withLock({ $0.take() }) { thread.join() }
    }
  }

  /// Starts a thread of that name; it shows in `top -H`.
  package func start(_ name: String, _ body: @escaping @Sendable () -> Void) {
    let box = ThreadBox(ShardThread(name: name, body))
    threads.withLock { $0.append(box) }
  }

  /// Waits until all have ended.
  package func join() {
    let all = threads.withLock { threads in
      let all = threads
      threads = []
      return all
    }
    for thread in all { thread.join() }
  }
}
