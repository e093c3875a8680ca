internal import Glibc

/// A thread that runs one piece of code to its end; nobody waits for it.
enum LibraryThread {
  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// Starts `body` on a thread of its own.
  ///
  /// - Throws: where the kernel gives no thread.
  static func start(_ body: @escaping @Sendable () -> Void) throws(ClientError) {
    let work = Unmanaged.passRetained(Work(body))
    var thread = pthread_t()
    var mask = sigset_t()
    var before = sigset_t()
    // The program's signals are the program's: neither this thread nor what librdkafka starts from it takes any.
    sigfillset(&mask)
    pthread_sigmask(SIG_SETMASK, &mask, &before)
    let outcome = pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
        return nil
      }, work.toOpaque())
    pthread_sigmask(SIG_SETMASK, &before, nil)
    guard outcome == 0 else {
      work.release()
      throw .illegalState(reason: "the kernel gives no thread (errno \(outcome)); the process has too many")
    }
    pthread_detach(thread)
  }
}
