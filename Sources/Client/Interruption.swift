internal import Glibc

/// Ctrl-C and the polite kill, asked for between two steps of work instead of striking in the middle of one.
package enum Interruption {
  /// Holds the signals back from now on, in this thread and in those it starts later: call it before clients are made.
  package static func hold() {
    var signals = watched
    pthread_sigmask(SIG_BLOCK, &signals, nil)
    signal(SIGPIPE, SIG_IGN)
  }

  /// Whether such a signal has come; says so once for each.
  package static func hasCome() -> Bool {
    var signals = watched
    var none = timespec(tv_sec: 0, tv_nsec: 0)
    return sigtimedwait(&signals, nil, &none) > 0
  }

  private static var watched: sigset_t {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGINT)
    sigaddset(&signals, SIGTERM)
    sigaddset(&signals, SIGHUP)
    return signals
  }
}
