internal import Glibc
internal import Synchronization

/// A program that ends when we do, however we end: a shell beside it waits for the end of a pipe that only we hold.
package final class GuardedProcess: Sendable {
  private let program: SpawnedProgram
  /// Nil once it was stopped.
  private let pipe: Mutex<Int32?>

  /// - Parameters:
  ///   - output: a file for what it says.
  ///   - folder: removed when it ends because we did; after `stop` it stays.
  ///   - signal: what ends it. A shell's background programs ignore INT, unless they handle it themselves.
  package init(_ command: [String], output: String, folder: String, signal: String = "TERM") throws {
    let script = #"""
      signal=$1 folder=$2; shift 2
      "$@" </dev/null & pid=$!
      read -r word
      kill -"$signal" "$pid"; wait "$pid"
      [[ $word == stop ]] || rm -rf "$folder"
      """#
    let started = try SpawnedProgram.withPipe(
      ["/bin/bash", "-c", script, "guarded", signal, folder] + command, output: output)
    program = started.program
    pipe = Mutex(started.pipe)
  }

  /// Ends it, and waits until it has ended.
  package func stop() {
    let isFirst = pipe.withLock { pipe -> Bool in
      guard let descriptor = pipe else { return false }
      // The shell reads as long as it lives, and it lives until it has read.
      _ = write(descriptor, "stop\n", 5)
      close(descriptor)
      pipe = nil
      return true
    }
    if isFirst { _ = program.wait() }
  }
}

/// A folder of a test's own.
package func temporaryFolder(_ name: String) throws -> String {
  var template = Array("/tmp/ottla-\(name)-XXXXXX".utf8CString)
  guard mkdtemp(&template) != nil else {
    throw SpawnedProgram.CannotSpawn(description: "no temporary folder: errno \(errno)")
  }
  return String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// A port of this machine that nobody listens on at the moment.
package func freePort() throws -> Int {
  let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  guard listener >= 0 else { throw SpawnedProgram.CannotSpawn(description: "no free port: errno \(errno)") }
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
  guard outcome else { throw SpawnedProgram.CannotSpawn(description: "no free port: errno \(errno)") }
  return Int(UInt16(bigEndian: address.sin_port))
}
