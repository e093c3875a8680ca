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
  _ = FileManager.default.createFile(atPath: "\(folder)/out", contents: nil)
  let output = try FileHandle(forWritingTo: URL(filePath: "\(folder)/out"))
  let process = Process()
  process.executableURL = URL(filePath: "/usr/bin/env")
  process.arguments = words
  process.standardInput = try FileHandle(forReadingFrom: URL(filePath: "\(folder)/in"))
  process.standardOutput = output
  process.standardError = output
  // Where the output goes is a file: no pipe that could be full while nobody reads.
  let status: Int32 = try await withCheckedThrowingContinuation { continuation in
    process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
    do { try process.run() } catch { continuation.resume(throwing: error) }
  }
  let bytes = try Data(contentsOf: URL(filePath: "\(folder)/out"))
  return CommandOutcome(status: status, output: String(decoding: bytes, as: UTF8.self))
}
