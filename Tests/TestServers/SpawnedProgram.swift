internal import Glibc
internal import Synchronization

/// A program that was started, and is waited for by its number.
///
/// Foundation's `Process` takes a program for alive as long as any other one that was started in the meantime lives: they inherit
/// the socket that tells it of the end. Servers that live as long as the tests do would make every wait last as long.
package struct SpawnedProgram: Sendable {
  package struct CannotSpawn: Error, CustomStringConvertible {
    package let description: String
  }

  package let pid: Int32
  /// One at a time: what must not be inherited is marked before the next is started.
  private static let spawning = Mutex(())

  /// - Parameters:
  ///   - words: the program, found as a shell finds it, and its arguments.
  ///   - output: a file for what it says.
  ///   - input: a file.
  package init(_ words: [String], output: String, input: String = "/dev/null") throws {
    pid = try Self.spawning.withLock { _ in
      let descriptor = open(input, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else { throw CannotSpawn(description: "\(input) cannot be read: errno \(errno)") }
      defer { close(descriptor) }
      return try Self.spawn(words, output, descriptor)
    }
  }

  /// Starts a program that reads from a pipe; returns its writing end, which no other program has.
  static func withPipe(_ words: [String], output: String) throws -> (program: SpawnedProgram, pipe: Int32) {
    try spawning.withLock { _ in
      var ends: [Int32] = [0, 0]
      guard pipe(&ends) == 0 else { throw CannotSpawn(description: "no pipe: errno \(errno)") }
      for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
      defer { close(ends[0]) }
      return (SpawnedProgram(pid: try spawn(words, output, ends[0])), ends[1])
    }
  }

  private init(pid: Int32) { self.pid = pid }

  private static func spawn(_ words: [String], _ output: String, _ input: Int32) throws -> Int32 {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input, 0)
    posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    // The threads that tasks run on hold signals back, and what they start would inherit that: TERM would never arrive.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    var arguments = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var pid: pid_t = 0
    let outcome = posix_spawnp(&pid, words[0], &actions, &attributes, &arguments, environ)
    guard outcome == 0 else { throw CannotSpawn(description: "\(words[0]) cannot be started: errno \(outcome)") }
    return pid
  }

  /// Waits for its end, without holding a thread. Its exit code, or the negative number of the signal that ended it. To be called once.
  package func ended() async -> Int32 {
    while true {
      if let status = status(WNOHANG) { return status }
      try? await Task.sleep(for: .milliseconds(3))
    }
  }

  /// Waits for its end on this thread. To be called once, and not after `ended`.
  package func wait() -> Int32 { status(0) ?? -1 }

  private func status(_ options: Int32) -> Int32? {
    var status: Int32 = 0
    var outcome = waitpid(pid, &status, options)
    while outcome < 0, errno == EINTR { outcome = waitpid(pid, &status, options) }
    guard outcome == pid else { return outcome == 0 ? nil : -1 }
    return status & 0x7f == 0 ? (status >> 8) & 0xff : -(status & 0x7f)
  }
}
