import Foundation
import Testing

/// The rules of the house that a compiler does not hold us to.
@Suite struct HouseTests {
  /// Modules at the edge: threads, clocks, sockets and files are theirs alone.
  private static let shells: Set<String> = [
    "Runtime", "ZooKeeper", "Simulation", "OttlaTesting", "Client", "OttlaClient", "OttlaJSON", "OttlaErrorHandling",
    "ottla", "schemagen", "simulate", "sdkbench", "Threads", "OttlaSQL", "OttlaPostgreSQL", "OttlaSQLite",
    "OttlaOutbox", "OttlaOutboxProducer",
  ]

  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private struct Source {
    let path: String
    let text: String
    /// The code, without line comments.
    var lines: [(number: Int, code: Substring)] {
      text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().map { number, line in
        (number + 1, line.range(of: "//").map { line[..<$0.lowerBound] } ?? line)
      }
    }
  }

  private static func modules() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: root.appending(path: "Sources").path()).sorted()
  }

  private static func sources(of module: String) throws -> [Source] {
    let folder = root.appending(path: "Sources/\(module)")
    let names = try FileManager.default.subpathsOfDirectory(atPath: folder.path()).filter { $0.hasSuffix(".swift") }
    return try names.sorted().map { name in
      Source(
        path: "Sources/\(module)/\(name)", text: try String(contentsOf: folder.appending(path: name), encoding: .utf8))
    }
  }

  @Test func nothingBelowTheShellsTouchesTheMachine() throws {
    let forbidden: [Regex<Substring>] = [
      /\bimport (?:Glibc|Foundation|FoundationEssentials|Dispatch|Synchronization)\b/, /\bTask(?:\.detached)? *\{/,
      /\bDispatchQueue\b/, /\bMutex\(/,
    ]
    var fileCount = 0
    for module in try Self.modules() where !Self.shells.contains(module) {
      for source in try Self.sources(of: module) {
        fileCount += 1
        for (number, code) in source.lines {
          for pattern in forbidden where code.firstMatch(of: pattern) != nil {
            Issue.record("\(source.path):\(number): \(code.trimmingCharacters(in: .whitespaces))")
          }
        }
      }
    }
    #expect(fileCount > 100, "the sources are somewhere else")
  }

  @Test func nobodySwitchesTheCompilersChecksOff() throws {
    let forbidden: [Regex<Substring>] = [
      /@unchecked Sendable/, /nonisolated\(unsafe\)/, /\btry!/, /\bas!/, /\bfatalError\b/, /@preconcurrency/,
    ]
    for module in try Self.modules() {
      for source in try Self.sources(of: module) {
        for (number, code) in source.lines {
          for pattern in forbidden where code.firstMatch(of: pattern) != nil {
            Issue.record("\(source.path):\(number): \(code.trimmingCharacters(in: .whitespaces))")
          }
        }
      }
    }
  }

  @Test func everyModuleIsInThePackage() throws {
    let package = try String(contentsOf: Self.root.appending(path: "Package.swift"), encoding: .utf8)
    for module in try Self.modules() {
      let isNamed = package.contains(try Regex("\\b(?:module|bridge|program)\\(\\s*\"\(module)\""))
      #expect(isNamed, "Sources/\(module) is not in Package.swift")
    }
  }
}
