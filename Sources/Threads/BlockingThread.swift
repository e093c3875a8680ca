internal import CLinux
internal import Glibc

/// A thread for an actor whose calls block: `unownedExecutor` of the actor is this one's, and so whatever the actor does
/// runs here, one piece after another, and no thread of Swift's own pool ever waits for a disk or a server.
///
/// Can become: stopped, after `stop` and whatever was enqueued before it. An actor stops its thread when it is released
/// itself: nothing can be enqueued after that.
package final class BlockingThread: SerialExecutor {
  private struct Entry: Sendable {
    let job: UnownedJob
    let executor: UnownedSerialExecutor
  }

  private let queue = JobQueue<Entry>()

  /// Starts the thread; its name (15 bytes at most) shows in `top -H`.
  package init(name: String) {
    let body = Body(name: name, queue: queue)
    var thread = pthread_t()
    let outcome = pthread_create(
      &thread, nil,
      { context in
        guard let context else { return nil }
        Unmanaged<Body>.fromOpaque(context).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(body).toOpaque())
    precondition(outcome == 0, "the kernel refused a thread: errno \(outcome)")
    pthread_detach(thread)
  }

  package func enqueue(_ job: consuming ExecutorJob) {
    queue.add(Entry(job: UnownedJob(job), executor: asUnownedSerialExecutor()))
  }

  /// Lets the thread end when it has done what was enqueued.
  package func stop() { queue.close() }

  /// What the thread does. It holds the queue and not the executor: a job holds its actor, and the actor its executor.
  private final class Body: Sendable {
    let name: String
    let queue: JobQueue<Entry>

    init(name: String, queue: JobQueue<Entry>) {
      self.name = name
      self.queue = queue
    }

    func run() {
      ottla_name_thread(String(name.prefix(15)))
      // A server that goes away while we write to it is an error of the write, not the end of the process.
      ottla_block_sigpipe()
      while let entry = queue.take() { entry.job.runSynchronously(on: entry.executor) }
    }
  }
}
