/// Generates, for the tests, an arbitrary instance of every struct: only what the given version can carry.
struct RandomMessagesFile {
  let schemas: [SchemaFile]
  init(_ schemas: [SchemaFile]) { self.schemas = schemas }

  var text: String {
    var swift = SwiftText()
    swift.line("import Primitives")
    swift.line()
    swift.line("@testable import KafkaProtocol")
    swift.line()
    swift.line("/// Every message, for tests that go through all of them.")
    swift.line("let everyMessage: [any RandomMessage.Type] = [")
    swift.indented { swift in
      for message in schemas.flatMap(\.messages) { swift.line("\(message.name).self,") }
    }
    swift.line("]")
    for message in schemas.flatMap(\.messages) {
      write(": RandomMessage", of: message.name, message.name, message.fields, message.versions, to: &swift)
      for structure in message.structures {
        guard let versions = structure.versions else { continue }
        let name = "\(message.name).\(structure.name)"
        write("", of: name, message.name, structure.fields, versions, to: &swift)
      }
    }
    return SwiftText.header(from: "Schemas") + swift.text
  }

  private func write(
    _ conformance: String, of name: String, _ message: String, _ fields: [Field], _ holder: VersionRange,
    to swift: inout SwiftText
  ) {
    swift.line()
    swift.block("extension \(name)\(conformance)") { swift in
      swift.block("static func random(_ random: inout RandomValues, version: Int16) -> Self") { swift in
        swift.line("\(fields.isEmpty ? "let" : "var") message = Self()")
        VersionCondition(holder: holder, flexibleFrom: nil).write(fields, to: &swift) { field in
          ["message.\(FieldSwift(field).name) = \(value(of: field, in: message))"]
        }
        swift.line("return message")
      }
    }
  }

  private func value(of field: Field, in message: String) -> String {
    guard let nullable = field.nullable, field.type != .records else { return plain(field.type, "random", in: message) }
    let condition = VersionCondition(holder: field.versions, flexibleFrom: nil).inside(nullable)
    return "random.nullable(\(condition ?? "true")) { \(plain(field.type, "$0", in: message)) }"
  }

  private func plain(_ type: WireType, _ source: String, in message: String) -> String {
    switch type {
    case .array(let element): "\(source).array { \(plain(element, "$0", in: message)) }"
    case .structure(let name): "\(message).\(name).random(&\(source), version: version)"
    case .bytes: "\(source).bytes()"
    default: "\(source).\(DecodeBody.method(type))()"
    }
  }
}
