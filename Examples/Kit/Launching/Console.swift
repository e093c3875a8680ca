internal import Glibc

/// Writes a line to standard output: at once, whole, and as one line whatever stands in it.
///
/// ```swift
/// say("ready http=127.0.0.1:\(server.port)")
/// ```
package func say(_ line: String) { writeLine(line, to: 1) }

/// The same to standard error.
package func complain(_ line: String) { writeLine(line, to: 2) }

/// Ends the process.
package func endProgram(status: Int32) -> Never { exit(status) }

private func writeLine(_ line: String, to file: Int32) {
  // One call: what several tasks say is not mixed.
  _ = Array("\(printable(line))\n".utf8).withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
}

/// A line in which nothing that came from outside can pretend to be another line, or steer a terminal.
func printable(_ line: String) -> String {
  var result = ""
  for scalar in line.unicodeScalars {
    switch scalar.properties.generalCategory {
    case .control, .lineSeparator, .paragraphSeparator, .format:
      result += scalar == "\n" ? "\\n" : "\\u{\(String(scalar.value, radix: 16))}"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
