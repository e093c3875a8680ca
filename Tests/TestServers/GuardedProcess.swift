internal import Foundation

/// A program that ends when we do, however we end: a shell beside it waits for the end of a pipe that only we hold.
package final class GuardedProcess: Sendable {
  private let pipe: FileHandle
  private let ended: DispatchSemaphore

  /// - Parameter output: a file for what it says.
  package init(_ command: [String], output: String, environment: [String: String] = [:]) throws {
    let process = Process()
    let guardPipe = Pipe()
    process.executableURL = URL(filePath: "/bin/bash")
    // SIGINT is how PostgreSQL is told to end its clients' sessions and stop; others take it for Ctrl-C.
    let script = #""$@" </dev/null & pid=$!; read -r _; kill -INT "$pid" 2>/dev/null; wait "$pid""#
    process.arguments = ["-c", script, "guarded"] + command
    process.standardInput = guardPipe
    _ = FileManager.default.createFile(atPath: output, contents: nil)
    let log = try FileHandle(forWritingTo: URL(filePath: output))
    process.standardOutput = log
    process.standardError = log
    process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    try process.run()
    try guardPipe.fileHandleForReading.close()
    pipe = guardPipe.fileHandleForWriting
    self.ended = ended
  }

  /// Ends it, and waits until it has ended.
  package func stop() {
    try? pipe.close()
    ended.wait()
    ended.signal()
  }
}

/// A folder of a test's own.
package func temporaryFolder(_ name: String) throws -> String {
  var template = Array("/tmp/ottla-\(name)-XXXXXX".utf8CString)
  guard mkdtemp(&template) != nil else { throw CocoaError(.fileWriteUnknown) }
  return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// A port of this machine that nobody listens on at the moment.
package func freePort() throws -> Int {
  let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  guard listener >= 0 else { throw CocoaError(.fileReadUnknown) }
  defer { close(listener) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_addr.s_addr = inet_addr("127.0.0.1")
  var length = socklen_t(MemoryLayout<sockaddr_in>.size)
  let outcome = withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
      bind(listener, generic, length) == 0 && getsockname(listener, generic, &length) == 0
    }
  }
  guard outcome else { throw CocoaError(.fileReadUnknown) }
  return Int(UInt16(bigEndian: address.sin_port))
}
