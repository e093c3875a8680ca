/// How a field appears in Swift: its names, its type and its default.
struct FieldSwift {
  let field: Field

  init(_ field: Field) { self.field = field }

  /// The property's name, in backticks where Swift has taken the word.
  var name: String { ["protocol", "operator", "default"].contains(field.name) ? "`\(field.name)`" : field.name }

  /// The property inside `encode`, whose own names must not hide it.
  var encodedName: String { Self.takenInEncode.contains(field.name) ? "self.\(field.name)" : name }

  private static let takenInEncode: Set = ["version", "writer", "flexible", "element", "start"]

  var isRecords: Bool { field.type == .records }

  /// Whether the Swift type is an Optional.
  var isOptional: Bool { field.nullable != nil && !isRecords }

  var type: String { Self.name(of: field.type) + (isOptional ? "?" : "") }

  static func name(of type: WireType) -> String {
    switch type {
    case .int8: "Int8"
    case .int16: "Int16"
    case .int32: "Int32"
    case .int64: "Int64"
    case .uint16: "UInt16"
    case .uint32: "UInt32"
    case .float64: "Double"
    case .bool: "Bool"
    case .string: "String"
    case .bytes: "[UInt8]"
    case .uuid: "UUID"
    case .records: "RecordsPayload"
    case .errorCode: "ErrorCode"
    case .array(let element): "[\(name(of: element))]"
    case .structure(let name): name
    }
  }

  var defaultValue: String {
    if isOptional { return "nil" }
    switch field.type {
    case .int8, .int16, .int32, .int64, .uint16, .uint32, .float64: return Self.grouped(field.defaultText ?? "0")
    case .bool: return field.defaultText ?? "false"
    case .string: return "\"\(field.defaultText ?? "")\""
    case .bytes, .array: return "[]"
    case .uuid: return ".zero"
    case .records: return ".null"
    case .errorCode: return ".none"
    case .structure(let name): return "\(name)()"
    }
  }

  /// 2147483647 with its thousands set apart.
  private static func grouped(_ number: String) -> String {
    let digits = number.drop { $0 == "-" }
    guard digits.count > 4, digits.allSatisfy(\.isNumber) else { return number }
    var grouped = ""
    for (position, digit) in digits.enumerated() {
      if position > 0, (digits.count - position).isMultiple(of: 3) { grouped += "_" }
      grouped.append(digit)
    }
    return (number.hasPrefix("-") ? "-" : "") + grouped
  }

  /// The condition under which a tagged field is written: it differs from its default.
  var differsFromDefault: String {
    if isOptional { return "\(encodedName) != nil" }
    switch field.type {
    case .bool: return defaultValue == "false" ? encodedName : "!\(encodedName)"
    case .string where defaultValue == "\"\"": return "!\(encodedName).isEmpty"
    case .bytes, .array: return "!\(encodedName).isEmpty"
    case .uuid: return "!\(encodedName).isZero"
    default: return "\(encodedName) != \(defaultValue)"
    }
  }

  /// For the reader of the generated file: versions and nullability; nil where there is nothing to say.
  func note(in holder: VersionRange) -> String? {
    var parts: [String] = []
    if field.versions != holder { parts.append(Self.words(field.versions, top: holder.high)) }
    if let nullable = field.nullable {
      let whole = nullable.contains(field.versions)
      parts.append(whole ? "nullable" : "nullable in \(Self.words(nullable, top: holder.high))")
    }
    if let tag = field.tag { parts.append("tag \(tag)") }
    guard let first = parts.first else { return nil }
    return ([first.prefix(1).uppercased() + first.dropFirst()] + parts.dropFirst()).joined(separator: ", ") + "."
  }

  static func words(_ versions: VersionRange, top: Int) -> String {
    if versions.low == versions.high { return "version \(versions.low)" }
    if versions.high >= top { return "version \(versions.low) and up" }
    return "versions \(versions.low) to \(versions.high)"
  }
}
