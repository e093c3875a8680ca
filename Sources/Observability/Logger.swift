/// How much a log line matters.
package enum LogLevel: Int, Comparable, Sendable, CaseIterable {
  case debug, info, warning, error
  package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rawValue < right.rawValue }
  package var name: String {
    switch self {
    case .debug: "debug"
    case .info: "info"
    case .warning: "warning"
    case .error: "error"
    }
  }
}

/// Where log lines go: standard error in the program, an array in a test.
package protocol LogSink: AnyObject, Sendable {
  func write(_ level: LogLevel, _ line: String)
}

/// Makes log lines. Has no output of its own.
///
/// What came from outside (client ids, topic names, principals) may hold anything: control characters are escaped here, once,
/// so that no client can forge a line or steer a terminal.
package struct Logger: Sendable {
  private let sink: any LogSink
  private let levelMin: LogLevel
  /// Bytes after which a line is cut.
  private static let lineBytesMax = 4096

  package init(sink: any LogSink, levelMin: LogLevel = .info) {
    self.sink = sink
    self.levelMin = levelMin
  }

  package func debug(_ line: @autoclosure () -> String) { log(.debug, line) }
  package func info(_ line: @autoclosure () -> String) { log(.info, line) }
  package func warning(_ line: @autoclosure () -> String) { log(.warning, line) }
  package func error(_ line: @autoclosure () -> String) { log(.error, line) }

  private func log(_ level: LogLevel, _ line: () -> String) {
    guard level >= levelMin else { return }
    sink.write(level, Self.printable(line()))
  }

  /// `line` with everything that is not plain text escaped, and cut at the limit.
  package static func printable(_ line: String) -> String {
    var result = ""
    for scalar in line.unicodeScalars {
      if result.utf8.count >= lineBytesMax { return result + "..." }
      switch scalar.properties.generalCategory {
      case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse:
        result += "\\u{\(String(scalar.value, radix: 16))}"
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
