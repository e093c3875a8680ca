/// A line of a schema that says something: its number, how far it is indented, its words.
struct SchemaLine {
  let number: Int
  let indent: Int
  let text: String

  /// The parts between commas.
  var clauses: [String] {
    text.split(separator: ",", omittingEmptySubsequences: false).map { Self.trimmed(String($0)) }
  }

  /// The lines of `text` without comments and empty lines. Indentation is by twos.
  static func lines(of text: String, path: String) throws -> [SchemaLine] {
    var lines: [SchemaLine] = []
    for (index, raw) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let indent = raw.prefix { $0 == " " }.count
      let words = trimmed(String(raw))
      if words.isEmpty || words.hasPrefix("#") { continue }
      guard indent.isMultiple(of: 2), !raw.contains("\t") else {
        throw SchemaError(path: path, line: index + 1, message: "indent by two spaces, not by \(indent) or by tabs")
      }
      lines.append(SchemaLine(number: index + 1, indent: indent, text: words))
    }
    return lines
  }

  static func trimmed(_ text: String) -> String {
    let start = text.drop { $0 == " " || $0 == "\r" }
    return String(start.reversed().drop { $0 == " " || $0 == "\r" }.reversed())
  }
}
