/// Finds out in which versions each struct of a message is used, and refuses what cannot be generated.
struct SchemaCheck {
  let path: String

  func resolved(_ message: Message) throws -> Message {
    var message = message
    guard message.versions.low <= message.versions.high else {
      throw SchemaError(path: path, line: message.line, message: "versions end before they start")
    }
    try visit(message.fields, in: message.versions, of: &message, depth: 0)
    message.fields = try settled(message.fields, in: message.versions, of: message)
    for (index, structure) in message.structures.enumerated() {
      guard let versions = structure.versions else {
        throw SchemaError(path: path, line: structure.line, message: "`\(structure.name)` is never used")
      }
      message.structures[index].fields = try settled(structure.fields, in: versions, of: message)
    }
    return message
  }

  /// Widens each struct's versions by each of its uses.
  private func visit(_ fields: [Field], in holder: VersionRange, of message: inout Message, depth: Int) throws {
    guard depth < 16 else {
      throw SchemaError(path: path, line: message.line, message: "structs that hold one another")
    }
    for field in fields {
      guard let name = field.type.structureName else { continue }
      guard let index = message.structures.firstIndex(where: { $0.name == name }) else {
        throw error(field, "no struct `\(name)` in this message")
      }
      let used = field.hasOwnVersions ? field.versions : holder
      message.structures[index].versions = message.structures[index].versions?.hull(with: used) ?? used
      try visit(message.structures[index].fields, in: used, of: &message, depth: depth + 1)
    }
  }

  /// The fields, those without versions given their holder's, all checked.
  private func settled(_ fields: [Field], in holder: VersionRange, of message: Message) throws -> [Field] {
    var settled: [Field] = []
    for var field in fields {
      if !field.hasOwnVersions { field.versions = holder }
      guard !settled.contains(where: { $0.name == field.name }) else {
        throw error(field, "`\(field.name)` stands twice")
      }
      guard holder.contains(field.versions) else {
        throw error(field, "`\(field.name)` has versions that its holder lacks")
      }
      if field.tag != nil, field.versions.low < message.flexibleFrom ?? .max {
        throw error(field, "`\(field.name)` is tagged in versions that are not flexible")
      }
      if case .records = field.type, field.nullable == nil {
        throw error(field, "records are always nullable: `records?`")
      }
      if case .structure = field.type, let nullable = field.nullable, !nullable.contains(field.versions) {
        throw error(field, "a struct is nullable in all its versions or in none")
      }
      settled.append(field)
    }
    let tags = settled.compactMap(\.tag).sorted()
    guard tags == Array(0..<tags.count) else {
      throw SchemaError(path: path, line: message.line, message: "tags count from 0 without gaps, not \(tags)")
    }
    return settled
  }

  private func error(_ field: Field, _ message: String) -> SchemaError {
    SchemaError(path: path, line: field.line, message: message)
  }
}
