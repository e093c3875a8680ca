/// HTML with places for values: `<p>Xin chào {{name}}</p>`.
package struct MailTemplate: Sendable, Hashable {
  /// A template or values that do not fit together.
  package struct Mistake: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String
  }

  private enum Part: Hashable {
    case text(String)
    case place(String)
  }

  private let parts: [Part]

  /// - Throws: where a `{{` has no `}}`.
  package init(_ text: String) throws(Mistake) {
    var parts: [Part] = []
    var rest = text[...]
    while let start = rest.firstRange(of: "{{") {
      parts.append(.text(String(rest[..<start.lowerBound])))
      let after = rest[start.upperBound...]
      guard let end = after.firstRange(of: "}}") else {
        throw Mistake(description: "the template has a {{ without its }}: \(after.prefix(30))")
      }
      let name = after[..<end.lowerBound].filter { !$0.isWhitespace }
      parts.append(.place(name))
      rest = after[end.upperBound...]
    }
    parts.append(.text(String(rest)))
    self.parts = parts
  }

  /// The HTML with the values in their places. Values are text: what would be markup in them is shown as it is.
  ///
  /// - Throws: where a place has no value.
  package func html(_ values: [String: String]) throws(Mistake) -> String {
    var html = ""
    for part in parts {
      switch part {
      case .text(let text): html += text
      case .place(let name):
        guard let value = values[name] else {
          throw Mistake(description: "the template's {{\(name)}} has no value; there are \(values.keys.sorted())")
        }
        html += Self.escape(value)
      }
    }
    return html
  }

  static func escape(_ text: String) -> String {
    var escaped = ""
    for character in text.unicodeScalars {
      switch character {
      case "&": escaped += "&amp;"
      case "<": escaped += "&lt;"
      case ">": escaped += "&gt;"
      case "\"": escaped += "&quot;"
      case "'": escaped += "&#39;"
      default: escaped.unicodeScalars.append(character)
      }
    }
    return escaped
  }
}
