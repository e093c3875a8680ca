/// Writes `encode(into:version:)` of one struct.
struct EncodeBody {
  let fields: [Field]
  let holder: VersionRange
  let message: Message

  private var condition: VersionCondition { VersionCondition(holder: holder, flexibleFrom: message.flexibleFrom) }

  func write(to swift: inout SwiftText) {
    swift.block("package func encode(into writer: inout Writer, version: Int16)") { swift in
      if let declaration = condition.declaration { swift.line(declaration) }
      condition.write(fields.filter { $0.tag == nil }, to: &swift) { lines(of: $0, compact: condition.flexible) }
      let tagged = fields.filter { $0.tag != nil }.sorted { $0.tag ?? 0 < $1.tag ?? 0 }
      if tagged.isEmpty {
        condition.whenFlexible(&swift, "writer.noTaggedFields()")
      } else {
        condition.whenFlexible(&swift) { write(tagged: tagged, to: &$0) }
      }
    }
  }

  private func write(tagged: [Field], to swift: inout SwiftText) {
    let flexibleHolder = VersionRange(low: max(holder.low, message.flexibleFrom ?? 0), high: holder.high)
    let condition = VersionCondition(holder: flexibleHolder, flexibleFrom: message.flexibleFrom)
    swift.line("var taggedFieldCount: UInt32 = 0")
    for field in tagged {
      let present = condition.inside(field.versions).map { "\($0) && " } ?? ""
      swift.line("let has\(Self.capitalized(field.name)) = \(present)\(FieldSwift(field).differsFromDefault)")
      swift.line("if has\(Self.capitalized(field.name)) { taggedFieldCount += 1 }")
    }
    swift.line("writer.unsignedVarint(taggedFieldCount)")
    for field in tagged {
      swift.block("if has\(Self.capitalized(field.name))") { swift in
        swift.line("let start = writer.beginTaggedField(\(field.tag ?? 0))")
        for line in lines(of: field, compact: "true") { swift.statement(line) }
        swift.line("writer.endTaggedField(from: start)")
      }
    }
  }

  private static func capitalized(_ name: String) -> String { name.prefix(1).uppercased() + name.dropFirst() }

  /// The statements that write the field.
  private func lines(of field: Field, compact: String) -> [String] {
    let swift = FieldSwift(field)
    let name = swift.encodedName
    let compact = field.isNeverCompact ? "false" : compact
    let inField = VersionCondition(holder: field.versions, flexibleFrom: message.flexibleFrom)
    let sometimesNull = field.nullable.flatMap { inField.inside($0) }
    switch field.type {
    case .string, .bytes:
      let method = field.type == .string ? "string" : "bytes"
      let empty = field.type == .string ? "\"\"" : "[]"
      guard swift.isOptional else { return ["writer.\(method)(\(name), compact: \(compact))"] }
      let value = sometimesNull.map { "\($0) ? \(name) : \(name) ?? \(empty)" } ?? name
      return ["writer.nullable\(Self.capitalized(method))(\(value), compact: \(compact))"]
    case .records: return ["writer.records(\(name), compact: \(compact))"]
    case .structure:
      guard swift.isOptional else { return ["\(name).encode(into: &writer, version: version)"] }
      return [
        "writer.presence(\(name) != nil)", "\(name)?.encode(into: &writer, version: version)",
      ]
    case .array(let element): return arrayLines(swift, element, compact: compact, sometimesNull: sometimesNull)
    default: return ["writer.\(DecodeBody.method(field.type))(\(name))"]
    }
  }

  private func arrayLines(
    _ swift: FieldSwift, _ element: WireType, compact: String, sometimesNull: String?
  ) -> [String] {
    let name = swift.encodedName
    var item: String
    if case .structure = element {
      item = "element.encode(into: &writer, version: version)"
    } else if element == .string || element == .bytes {
      item = "writer.\(element == .string ? "string" : "bytes")(element, compact: \(compact))"
    } else {
      item = "writer.\(DecodeBody.method(element))(element)"
    }
    item = "for element in \(name)\(swift.isOptional ? " ?? []" : "") { \(item) }"
    guard swift.isOptional else {
      // By index: iterating would retain and release every field of every element.
      if case .structure = element {
        item = "for index in \(name).indices { \(name)[index].encode(into: &writer, version: version) }"
      }
      return ["writer.arrayCount(\(name).count, compact: \(compact))", item]
    }
    let count = sometimesNull.map { "\($0) ? \(name)?.count : \(name)?.count ?? 0" } ?? "\(name)?.count"
    return ["writer.nullableArrayCount(\(count), compact: \(compact))", item]
  }
}
