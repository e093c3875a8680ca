/// One line of Schemas/Errors.schema.
struct ErrorCodeLine {
  let code: Int
  let name: String
  let isRetriable: Bool

  /// `unknownTopicOrPartition` for UNKNOWN_TOPIC_OR_PARTITION.
  var swiftName: String {
    let words = name.lowercased().split(separator: "_").map(String.init)
    return words.prefix(1).joined() + words.dropFirst().map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
  }
}

/// Reads lines of `code NAME` and `code NAME retriable`.
func parseErrorCodes(path: String, text: String) throws -> [ErrorCodeLine] {
  var codes: [ErrorCodeLine] = []
  for line in try SchemaLine.lines(of: text, path: path) {
    let words = line.text.split(separator: " ").map(String.init)
    guard words.count == 2 || (words.count == 3 && words[2] == "retriable"), let code = Int(words[0]) else {
      throw SchemaError(path: path, line: line.number, message: "expected `code NAME` or `code NAME retriable`")
    }
    guard !codes.contains(where: { $0.code == code || $0.name == words[1] }) else {
      throw SchemaError(path: path, line: line.number, message: "code or name stands twice")
    }
    codes.append(ErrorCodeLine(code: code, name: words[1], isRetriable: words.count == 3))
  }
  return codes
}

/// Generates ErrorCode.swift of Primitives.
struct ErrorCodeFile {
  let codes: [ErrorCodeLine]
  init(_ codes: [ErrorCodeLine]) { self.codes = codes }

  var text: String {
    var swift = SwiftText()
    swift.line("/// An error code of the Kafka protocol.")
    swift.block("package struct ErrorCode: RawRepresentable, Hashable, Sendable") { swift in
      swift.line("package let rawValue: Int16")
      swift.line("@inlinable package init(rawValue: Int16) { self.rawValue = rawValue }")
      swift.line()
      for code in codes { swift.line("package static let \(code.swiftName) = ErrorCode(rawValue: \(code.code))") }
      swift.line()
      swift.line("/// The name in the protocol's documentation, such as `UNKNOWN_TOPIC_OR_PARTITION`.")
      swift.block("package var name: String") { swift in
        swift.line("switch rawValue {")
        for code in codes { swift.line("case \(code.code): \"\(code.name)\"") }
        swift.line("default: \"ERROR_\\(rawValue)\"")
        swift.line("}")
      }
      swift.line()
      swift.line("/// Whether a client may send the same request again.")
      swift.block("package var isRetriable: Bool") { swift in
        swift.line("switch rawValue {")
        writeRetriable(to: &swift)
        swift.line("default: false")
        swift.line("}")
      }
    }
    return SwiftText.header(from: "Schemas/Errors.schema") + swift.text
  }

  private func writeRetriable(to swift: inout SwiftText) {
    let retriable = codes.filter(\.isRetriable).map { String($0.code) }
    var row = "case "
    for (index, code) in retriable.enumerated() {
      let piece = code + (index == retriable.count - 1 ? ":" : ",")
      if row.count + piece.count + 1 > swift.room {
        swift.line(row)
        row = "  "
      }
      row += (row.hasSuffix(" ") ? "" : " ") + piece
    }
    swift.line(row)
    swift.indented { $0.line("true") }
  }
}
