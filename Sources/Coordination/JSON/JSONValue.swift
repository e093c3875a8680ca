/// A value of JSON, as far as znodes have any.
enum JSONValue: Equatable {
  case null
  case bool(Bool)
  case integer(Int64)
  /// A number that is no 64-bit integer, as it stands.
  case number(String)
  case string(String)
  case array([JSONValue])
  /// In the order in which they stand.
  case object([JSONMember])

  /// The value called `name`, the last one if there are more; nil without one, and where this is no object.
  subscript(name: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.last { $0.name == name }?.value
  }

  var string: String? { if case .string(let text) = self { text } else { nil } }
  var integer: Int64? { if case .integer(let value) = self { value } else { nil } }
  var array: [JSONValue]? { if case .array(let values) = self { values } else { nil } }

  /// An object of these members, in this order.
  static func object(_ members: (name: String, value: JSONValue)...) -> JSONValue {
    .object(members.map { JSONMember(name: $0.name, value: $0.value) })
  }
}

/// A name and its value.
struct JSONMember: Equatable {
  let name: String
  let value: JSONValue
}

extension JSONValue {
  /// The text, in one line.
  var text: String {
    switch self {
    case .null: "null"
    case .bool(let value): value ? "true" : "false"
    case .integer(let value): "\(value)"
    case .number(let text): text
    case .string(let text): Self.quoted(text)
    case .array(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
    case .object(let members):
      "{" + members.map { Self.quoted($0.name) + ":" + $0.value.text }.joined(separator: ",") + "}"
    }
  }

  var bytes: [UInt8] { Array(text.utf8) }

  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": quoted += "\\\""
      case "\\": quoted += "\\\\"
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
