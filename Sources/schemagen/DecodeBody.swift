/// Writes `static func decode(from:version:)` of one struct.
struct DecodeBody {
  let fields: [Field]
  let holder: VersionRange
  let message: Message

  private var condition: VersionCondition { VersionCondition(holder: holder, flexibleFrom: message.flexibleFrom) }

  func write(to swift: inout SwiftText) {
    swift.block("package static func decode(from reader: inout Reader, version: Int16) -> Self") { swift in
      if let declaration = condition.declaration { swift.line(declaration) }
      swift.line("\(fields.isEmpty ? "let" : "var") message = Self()")
      condition.write(fields.filter { $0.tag == nil }, to: &swift) { field in
        ["message.\(FieldSwift(field).name) = \(value(of: field, compact: condition.flexible))"]
      }
      let tagged = fields.filter { $0.tag != nil }.sorted { $0.tag ?? 0 < $1.tag ?? 0 }
      if tagged.isEmpty {
        condition.whenFlexible(&swift, "reader.skipTaggedFields()")
      } else {
        condition.whenFlexible(&swift) { write(tagged: tagged, to: &$0) }
      }
      swift.line("return message")
    }
  }

  private func write(tagged: [Field], to swift: inout SwiftText) {
    // Measured against the flexible versions: only in those is there anything to decode.
    let flexibleHolder = VersionRange(low: max(holder.low, message.flexibleFrom ?? 0), high: holder.high)
    let condition = VersionCondition(holder: flexibleHolder, flexibleFrom: message.flexibleFrom)
    swift.line("var tags = reader.taggedFields()")
    swift.block("while let tag = reader.nextTag(&tags)") { swift in
      swift.line("switch tag {")
      for field in tagged {
        let present = condition.inside(field.versions).map { " where \($0)" } ?? ""
        let assignment = "message.\(FieldSwift(field).name) = \(value(of: field, compact: "true"))"
        swift.statement("case \(field.tag ?? 0)\(present): \(assignment)")
      }
      swift.line("default: break")
      swift.line("}")
    }
  }

  /// The expression that reads the field.
  private func value(of field: Field, compact: String) -> String {
    let compact = field.isNeverCompact ? "false" : compact
    var nullable: String?
    if let versions = field.nullable {
      let inField = VersionCondition(holder: field.versions, flexibleFrom: message.flexibleFrom)
      nullable = inField.inside(versions).map { ", allowed: \($0)" } ?? ""
    }
    return plain(field.type, in: field.versions, nullable: nullable, compact: compact)
  }

  /// - Parameter nullable: nil where there is no null; else the argument that says when there is.
  private func plain(
    _ type: WireType, in versions: VersionRange, nullable: String? = nil, compact: String
  ) -> String {
    switch type {
    case .string: return "reader.\(nullable == nil ? "string" : "nullableString")(compact: \(compact)\(nullable ?? ""))"
    case .bytes: return "reader.\(nullable == nil ? "bytes" : "nullableBytes")(compact: \(compact)\(nullable ?? ""))"
    case .records: return "reader.records(compact: \(compact))"
    case .structure(let name):
      let decode = "\(name).decode(from: &reader, version: version)"
      return nullable == nil ? decode : "reader.isPresent() ? \(decode) : nil"
    case .array(let element):
      let method = nullable == nil ? "array" : "nullableArray"
      let size = MinimumSize(message: message).of(element, in: versions)
      let head = "reader.\(method)(compact: \(compact), minimum: \(size)\(nullable ?? ""))"
      return "\(head) { \(self.element(element, in: versions, compact: compact)) }"
    default: return "reader.\(Self.method(type))()"
    }
  }

  private func element(_ type: WireType, in versions: VersionRange, compact: String) -> String {
    if case .structure(let name) = type { return "\(name).decode(from: &$0, version: version)" }
    return "$0" + plain(type, in: versions, compact: compact).dropFirst("reader".count)
  }

  /// The method of Reader and Writer for a type of fixed width.
  static func method(_ type: WireType) -> String {
    switch type {
    case .float64: "float64"
    case .uuid: "uuid"
    case .uint16: "uint16"
    case .uint32: "uint32"
    default: FieldSwift.name(of: type).prefix(1).lowercased() + FieldSwift.name(of: type).dropFirst()
    }
  }
}
