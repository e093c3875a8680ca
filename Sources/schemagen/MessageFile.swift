/// The Swift file of one schema file.
struct MessageFile {
  private let schema: SchemaFile

  init(_ schema: SchemaFile) { self.schema = schema }

  var text: String {
    var swift = SwiftText()
    for message in schema.messages {
      swift.line()
      write(message, to: &swift)
      for structure in message.structures { write(structure, of: message, to: &swift) }
    }
    let imports = needsPrimitives ? "package import Primitives\n" : ""
    let body = imports.isEmpty ? String(swift.text.dropFirst()) : swift.text
    return SwiftText.header(from: schema.path) + imports + body
  }

  /// Whether a type of Primitives is named.
  private var needsPrimitives: Bool {
    schema.messages.contains { message in
      (message.fields + message.structures.flatMap(\.fields)).contains { field in
        let name = FieldSwift.name(of: field.type)
        return name.contains("UUID") || name.contains("ErrorCode")
      }
    }
  }

  private func write(_ message: Message, to swift: inout SwiftText) {
    swift.line("/// \(message.about)")
    swift.line("///")
    let role =
      message.name.hasSuffix("Request") ? "The request" : message.name.hasSuffix("Response") ? "The response" : ""
    let flexible = message.flexibleFrom.map { ", flexible from \($0)" } ?? ""
    let versions = FieldSwift.words(message.versions, top: .max)
    let sentence = role.isEmpty ? versions.prefix(1).uppercased() + versions.dropFirst() : "\(role): \(versions)"
    swift.line("/// \(sentence)\(flexible).")
    swift.block("package struct \(message.name): Message") { swift in
      writeConstants(of: message, to: &swift)
      swift.line()
      StructBody(fields: message.fields, holder: message.versions, message: message).write(to: &swift)
    }
  }

  private func writeConstants(of message: Message, to swift: inout SwiftText) {
    let (low, high) = (message.versions.low, message.versions.high)
    swift.line("package static var versions: ClosedRange<Int16> { \(low)...\(high) }")
    swift.line("package static var flexibleFrom: Int16 { \(message.flexibleFrom.map(String.init) ?? ".max") }")
    if let keyVersion = message.keyVersion {
      swift.line("/// The int16 in front of the key: it names the key's type.")
      swift.line("package static var recordKeyVersion: Int16 { \(keyVersion) }")
    }
    if let recordType = message.recordType {
      swift.line("/// The int16 in front of the record: its type.")
      swift.line("package static var recordType: Int16 { \(recordType) }")
    }
  }

  private func write(_ structure: Structure, of message: Message, to swift: inout SwiftText) {
    guard let versions = structure.versions else { return }
    swift.line()
    swift.block("extension \(message.name)") { swift in
      swift.line("/// \(uses(of: structure, in: message)).")
      swift.block("package struct \(structure.name): Sendable, Equatable") { swift in
        StructBody(fields: structure.fields, holder: versions, message: message).write(to: &swift)
      }
    }
  }

  /// `An element of \`topics\``, and the other fields that are made of the struct.
  private func uses(of structure: Structure, in message: Message) -> String {
    var uses: [String] = []
    for (owner, fields) in [("", message.fields)] + message.structures.map({ ($0.name + ".", $0.fields) }) {
      for field in fields where field.type.structureName == structure.name {
        if case .array = field.type {
          uses.append("an element of `\(owner)\(field.name)`")
        } else {
          uses.append("the type of `\(owner)\(field.name)`")
        }
      }
    }
    let sentence = uses.joined(separator: ", ")
    return sentence.prefix(1).uppercased() + sentence.dropFirst()
  }
}
