import Foundation
import Testing

/// What docs/sdk shows is what Examples/sdk compiles.
@Suite struct DocumentationTests {
  private static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appending(path: path), encoding: .utf8)
  }

  /// The lines between `// snippet: name` and `// end`, moved to the left.
  private static func snippet(_ name: String, in path: String) throws -> String {
    let lines = try text(path).split(separator: "\n", omittingEmptySubsequences: false)
    let start = try #require(lines.firstIndex { $0.hasSuffix("// snippet: \(name)") }, "\(path) has no snippet \(name)")
    let body = lines[(start + 1)...].prefix { !$0.hasSuffix("// end") }
    let indent = body.filter { !$0.isEmpty }.map { $0.prefix { $0 == " " }.count }.min() ?? 0
    return body.map { $0.dropFirst(indent) }.joined(separator: "\n")
  }

  @Test(arguments: ["quick-start", "producing", "consuming"])
  func everyExampleIsTheOneThatIsCompiled(_ page: String) throws {
    let lines = try Self.text("docs/sdk/\(page).md").split(separator: "\n", omittingEmptySubsequences: false)
    var count = 0
    for (index, line) in lines.enumerated() where line == "```swift" {
      let shown = lines[(index + 1)...].prefix { $0 != "```" }.joined(separator: "\n")
      let source = try #require(index > 0 ? lines[index - 1] : nil).split(separator: " ")
      try #require(source.count >= 4 && source[0] == "<!--", "line \(index): an example of no file")
      let compiled: String
      if source[1] == "file:" {
        compiled = try Self.text(String(source[2])).trimmingCharacters(in: .newlines)
        #expect(compiled.split(separator: "\n").count <= 10, "\(source[2]) is to be ten lines at most")
      } else {
        compiled = try Self.snippet(String(source[3]), in: String(source[2]))
      }
      #expect(shown == compiled, "docs/sdk/\(page).md, line \(index + 1)")
      count += 1
    }
    #expect(count >= 2)
  }
}
