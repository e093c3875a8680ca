/// A property's value, parsed according to its type.
package enum ConfigValue: Sendable, Equatable {
  case boolean(Bool)
  case int(Int32)
  case short(Int16)
  case long(Int64)
  case double(Double)
  /// A string, a class name or a password.
  case string(String)
  /// The elements of a comma-separated list, in the order given.
  case list([String])

  /// The most bytes a value may have: values are kept in the metadata log, whose entries are small.
  package static let bytesMax = 32_768

  /// Reads `text` as a value of `type`; nil where it is none. White space around it does not count.
  package static func parse(_ text: String, as type: ConfigType) -> ConfigValue? {
    guard text.utf8.count <= bytesMax else { return nil }
    let trimmed = text.trimmed
    switch type {
    case .boolean:
      switch trimmed.lowercased() {
      case "true": return .boolean(true)
      case "false": return .boolean(false)
      default: return nil
      }
    case .int: return Int32(trimmed).map { .int($0) }
    case .short: return Int16(trimmed).map { .short($0) }
    case .long: return Int64(trimmed).map { .long($0) }
    case .double: return Double(trimmed).flatMap { $0.isFinite ? .double($0) : nil }
    case .string, .class, .password: return .string(trimmed)
    case .list: return .list(elements(of: trimmed))
    }
  }

  /// The elements of a comma-separated list, without the white space around them and without empty ones.
  package static func elements(of text: String) -> [String] {
    text.split(separator: ",").map { String($0).trimmed }.filter { !$0.isEmpty }
  }

  /// The value as DescribeConfigs writes it.
  package var text: String {
    switch self {
    case .boolean(let value): value ? "true" : "false"
    case .int(let value): String(value)
    case .short(let value): String(value)
    case .long(let value): String(value)
    case .double(let value): String(value)
    case .string(let value): value
    case .list(let value): value.joined(separator: ",")
    }
  }

  /// The value of a whole number, whatever its width; nil for all other values.
  var integer: Int64? {
    switch self {
    case .int(let value): Int64(value)
    case .short(let value): Int64(value)
    case .long(let value): value
    case .boolean, .double, .string, .list: nil
    }
  }
}

extension String {
  /// The text without the ASCII white space at its ends.
  var trimmed: String {
    let isSpace: (UInt8) -> Bool = { $0 <= 0x20 }
    let bytes = utf8
    guard let first = bytes.firstIndex(where: { !isSpace($0) }), let last = bytes.lastIndex(where: { !isSpace($0) })
    else { return "" }
    return String(self[first...last])
  }
}
