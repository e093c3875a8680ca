internal import Foundation

/// A command that has ended.
package struct CommandOutcome: Sendable {
  package let status: Int32
  /// What it wrote to standard output and standard error.
  package let output: String
}

/// Runs a command to its end; it is found as a shell finds it.
package func runCommand(_ words: [String], input: String = "") async throws -> CommandOutcome {
  let folder = try temporaryFolder("command")
  defer { try? FileManager.default.removeItem(atPath: folder) }
  try input.write(toFile: "\(folder)/in", atomically: false, encoding: .utf8)
  // Files: no pipe that could be full while nobody reads.
  let program = try SpawnedProgram(words, output: "\(folder)/out", input: "\(folder)/in")
  let status = await program.ended()
  let bytes = try Data(contentsOf: URL(filePath: "\(folder)/out"))
  return CommandOutcome(status: status, output: String(decoding: bytes, as: UTF8.self))
}
