import Client
import Glibc

/// Runs the program `ottla` that was built beside these tests.
enum Program {
  struct Outcome {
    let exitCode: Int32
    let output: String
    let errors: String
  }

  struct CannotRun: Error { let path: String }

  /// Gives `input` to the program and collects what it writes; small amounts only.
  static func run(_ words: [String], input: String = "") throws -> Outcome {
    let folder = try folderOfTests()
    let path = "\(folder)/ottla"
    let files = (0..<3).map { _ in tmpfile() }
    defer { for file in files { if let file { fclose(file) } } }
    guard let standardInput = files[0], let output = files[1], let errors = files[2] else {
      throw CannotRun(path: path)
    }
    fputs(input, standardInput)
    rewind(standardInput)

    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, fileno(standardInput), 0)
    posix_spawn_file_actions_adddup2(&actions, fileno(output), 1)
    posix_spawn_file_actions_adddup2(&actions, fileno(errors), 2)
    var arguments = ([path] + words).map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process: pid_t = 0
    guard posix_spawn(&process, path, &actions, nil, &arguments, environ) == 0 else { throw CannotRun(path: path) }
    var status: Int32 = 0
    waitpid(process, &status, 0)
    // A program that was killed, by a trap say, has no exit code: none that it can choose.
    let exitCode = status & 0x7f == 0 ? (status >> 8) & 0xff : -status
    return Outcome(exitCode: exitCode, output: text(of: output), errors: text(of: errors))
  }

  static func run(_ words: String..., input: String = "") throws -> Outcome { try run(words, input: input) }

  private static func folderOfTests() throws -> String {
    var bytes = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &bytes, bytes.count)
    // The runner of Swift Testing may be the toolchain's: the bundle it was given is on its command line.
    let own = String(decoding: bytes.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    for path in [own] + CommandLine.arguments {
      guard let slash = path.lastIndex(of: "/") else { continue }
      let folder = String(path[..<slash])
      if access("\(folder)/ottla", X_OK) == 0 { return folder }
    }
    throw CannotRun(path: own)
  }

  private static func text(of file: UnsafeMutablePointer<FILE>) -> String {
    rewind(file)
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = fread(&chunk, 1, chunk.count, file)
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += chunk.prefix(count)
    }
  }
}
