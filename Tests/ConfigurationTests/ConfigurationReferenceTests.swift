import Foundation
import Testing

@testable import Configuration

@Suite("The reference page")
struct ConfigurationReferenceTests {
  /// docs/configuration.md beside Tests.
  private var page: URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "docs/configuration.md")
  }

  @Test("docs/configuration.md is what the tables say; with OTTLA_WRITE_DOCS=1 this test writes it")
  func committed() throws {
    let wanted = ConfigurationReference.markdown()
    if ProcessInfo.processInfo.environment["OTTLA_WRITE_DOCS"] == "1" {
      try FileManager.default.createDirectory(
        at: page.deletingLastPathComponent(), withIntermediateDirectories: true)
      try wanted.write(to: page, atomically: true, encoding: .utf8)
    }
    let committed = try String(contentsOf: page, encoding: .utf8)
    #expect(committed == wanted, "docs/configuration.md is stale: run the tests with OTTLA_WRITE_DOCS=1 and commit it")
  }

  @Test("names every property exactly once as a row")
  func complete() {
    let lines = ConfigurationReference.markdown().split(separator: "\n")
    let differing = BrokerProperties.all.filter { $0.kafkaDefault != nil }.count
    let rows = lines.filter { $0.hasPrefix("| `") }
    #expect(rows.count == TopicProperties.all.count + BrokerProperties.all.count + differing)
    #expect(lines.allSatisfy { $0.hasPrefix("| ") || $0.count <= 120 })
  }
}
