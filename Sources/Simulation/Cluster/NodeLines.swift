internal import Observability
internal import Synchronization

/// A broker's log lines, until somebody takes them.
final class NodeLines: LogSink {
  private let lines = Mutex<[String]>([])

  func write(_ level: LogLevel, _ line: String) { lines.withLock { $0.append("\(level.name) \(line)") } }

  func take() -> [String] {
    lines.withLock { lines in
      defer { lines = [] }
      return lines
    }
  }
}
