import Client
import Glibc

/// One line on standard error that says how far long work has come; only where a person is watching, and not typing.
struct Progress {
  private let isShown = isatty(STDERR_FILENO) == 1 && isatty(STDIN_FILENO) == 0
  private var watch = Stopwatch()
  private var isDrawn = false

  /// Draws what `text` makes, at most five times a second.
  mutating func update(_ text: () -> String) {
    guard isShown, watch.milliseconds >= 200 else { return }
    watch = Stopwatch()
    isDrawn = true
    standardError("\r\u{1b}[K\(text())")
  }

  /// Takes the line away.
  mutating func end() {
    if isDrawn { standardError("\r\u{1b}[K") }
    isDrawn = false
  }
}
