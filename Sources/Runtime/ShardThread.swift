internal import CLinux
internal import Glibc

/// A thread that runs one piece of code to its end.
///
/// What it runs may build objects that never leave it: that is how a shard, which is not Sendable, has one owner.
package struct ShardThread: ~Copyable {
  private let thread: pthread_t

  /// Starts `body` on a thread of its own; its name (15 bytes at most) shows in `top -H`.
  package init(name: String, _ body: @escaping @Sendable () -> Void) {
    let work = Work(name: name, body: body)
    var thread = pthread_t()
    let outcome = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        let work = Unmanaged<Work>.fromOpaque(context).takeRetainedValue()
        ottla_name_thread(String(work.name.prefix(15)))
        ottla_block_sigpipe()
        work.body()
        return nil
      }, Unmanaged.passRetained(work).toOpaque())
    precondition(outcome == 0, "the kernel refused a thread: errno \(outcome)")
    self.thread = thread
  }

  /// Waits until the thread has ended.
  package consuming func join() { pthread_join(thread, nil) }

  /// Lets the thread end by itself.
  package consuming func detach() { pthread_detach(thread) }

  private final class Work: Sendable {
    let name: String
    let body: @Sendable () -> Void
    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }
}
