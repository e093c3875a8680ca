internal import Glibc

/// A call that may take long, on a thread of its own that nobody waits for.
enum BackgroundCall {
  private final class Work: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  /// Starts `body`. Where the kernel gives no thread, it is called here and now.
  static func start(_ body: @escaping @Sendable () -> Void) {
    let work = Unmanaged.passRetained(Work(body))
    var thread = pthread_t()
    var mask = sigset_t()
    var before = sigset_t()
    // The thread, and those that the library makes from it, take no signals: they are the program's.
    sigfillset(&mask)
    pthread_sigmask(SIG_SETMASK, &mask, &before)
    let outcome = pthread_create(
      &thread, nil,
      { context in
        if let context { Unmanaged<Work>.fromOpaque(context).takeRetainedValue().body() }
        return nil
      }, work.toOpaque())
    pthread_sigmask(SIG_SETMASK, &before, nil)
    if outcome == 0 { pthread_detach(thread) } else { work.takeRetainedValue().body() }
  }
}
