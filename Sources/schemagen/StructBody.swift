/// What stands between the braces of a generated struct: properties, initializers, decode, encode.
struct StructBody {
  let fields: [Field]
  let holder: VersionRange
  let message: Message

  func write(to swift: inout SwiftText) {
    for field in fields {
      let property = FieldSwift(field)
      if let note = property.note(in: holder) { swift.line("/// \(note)") }
      swift.line("package var \(property.name): \(property.type) = \(property.defaultValue)")
    }
    swift.line()
    swift.line("package init() {}")
    if !fields.isEmpty { writeMemberwiseInit(to: &swift) }
    swift.line()
    DecodeBody(fields: fields, holder: holder, message: message).write(to: &swift)
    swift.line()
    EncodeBody(fields: fields, holder: holder, message: message).write(to: &swift)
  }

  private func writeMemberwiseInit(to swift: inout SwiftText) {
    swift.line()
    let parameters = fields.map(FieldSwift.init).map { "\($0.field.name): \($0.type) = \($0.defaultValue)" }
    let single = "package init(\(parameters.joined(separator: ", "))) {"
    if single.count <= swift.room {
      swift.line(single)
    } else {
      swift.line("package init(")
      swift.indented { swift in
        for (index, parameter) in parameters.enumerated() {
          swift.line(parameter + (index == parameters.count - 1 ? "" : ","))
        }
      }
      swift.line(") {")
    }
    swift.indented { swift in
      for property in fields.map(FieldSwift.init) { swift.line("self.\(property.field.name) = \(property.name)") }
    }
    swift.line("}")
  }
}
