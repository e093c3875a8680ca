internal import Observability

/// Log lines of a broker on their way to a test.
final class BrokerLog: LogSink {
  private let prefix: String
  private let line: @Sendable (String) -> Void

  init(_ prefix: String, _ line: @escaping @Sendable (String) -> Void) {
    self.prefix = prefix
    self.line = line
  }

  func write(_ level: LogLevel, _ line: String) { self.line("\(prefix)\(level.name): \(line)") }
}
