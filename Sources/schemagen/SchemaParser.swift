/// Reads one schema file. The language is told in Schemas/README.md.
struct SchemaParser {
  let path: String
  private let lines: [SchemaLine]
  private var next = 0

  init(path: String, text: String) throws {
    self.path = path
    lines = try SchemaLine.lines(of: text, path: path)
  }

  mutating func parse() throws -> SchemaFile {
    let fileName = path.split(separator: "/").last.map(String.init) ?? path
    var file = SchemaFile(name: String(fileName.dropLast(".schema".count)), path: path, messages: [])
    if let first = lines.first, first.text.hasPrefix("api ") {
      let api = try parseAPI()
      file.api = api
      file.messages = [api.request, api.response]
    }
    while next < lines.count { file.messages.append(try parseMessage()) }
    return file
  }

  // MARK: Heads

  /// `api Name, key 7`, `about ...`, then the request and the response.
  private mutating func parseAPI() throws -> API {
    let head = take()
    let name = String(head.clauses[0].dropFirst("api ".count))
    guard head.clauses.count == 2, let key = number(after: "key ", in: head.clauses[1]) else {
      throw error(head, "expected `api Name, key N`")
    }
    let about = try parseAbout(of: head)
    let request = try parseMessage(named: name + "Request", keyword: "request", about: about)
    let response = try parseMessage(named: name + "Response", keyword: "response", about: about)
    return API(name: name, key: key, request: request, response: response)
  }

  private mutating func parseAbout(of head: SchemaLine) throws -> String {
    guard next < lines.count, lines[next].text.hasPrefix("about ") else {
      throw error(head, "expected a line `about ...` below")
    }
    return String(take().text.dropFirst("about ".count))
  }

  /// `request, v0-3, flexible v2+` or `message Name, v0, key version 1`, then fields and structs.
  private mutating func parseMessage(
    named apiName: String? = nil, keyword: String = "message", about: String? = nil
  ) throws -> Message {
    guard next < lines.count else {
      throw SchemaError(path: path, line: lines.last?.number ?? 1, message: "the file ends before its \(keyword)")
    }
    let head = take()
    let clauses = head.clauses
    guard head.indent == 0, clauses.count >= 2 else { throw error(head, "expected `\(keyword)` and its versions") }
    var name = apiName ?? ""
    if apiName == nil {
      guard clauses[0].hasPrefix("message ") else { throw error(head, "expected `message Name`") }
      name = String(clauses[0].dropFirst("message ".count))
    } else if clauses[0] != keyword {
      throw error(head, "expected `\(keyword)`, found `\(clauses[0])`")
    }
    guard let versions = versions(clauses[1], upTo: nil) else { throw error(head, "no versions: `\(clauses[1])`") }
    var message = Message(
      name: name, about: "", versions: versions, flexibleFrom: try flexibleFrom(head), fields: [], structures: [],
      line: head.number)
    for clause in clauses.dropFirst(2) where !clause.hasPrefix("flexible ") {
      if let keyVersion = number(after: "key version ", in: clause) {
        message.keyVersion = keyVersion
      } else if let recordType = number(after: "record type ", in: clause) {
        message.recordType = recordType
      } else {
        throw error(head, "unknown clause `\(clause)`")
      }
    }
    message.about = try about ?? parseAbout(of: head)
    try parseBody(of: &message)
    return try SchemaCheck(path: path).resolved(message)
  }

  private func flexibleFrom(_ head: SchemaLine) throws -> Int? {
    guard let clause = head.clauses.first(where: { $0.hasPrefix("flexible ") }) else { return nil }
    guard clause.hasSuffix("+"), let from = number(after: "flexible v", in: String(clause.dropLast())) else {
      throw error(head, "expected `flexible vN+`, found `\(clause)`")
    }
    return from
  }

  // MARK: Fields

  private mutating func parseBody(of message: inout Message) throws {
    while next < lines.count, lines[next].indent > 0 {
      let line = lines[next]
      if line.text.hasPrefix("struct ") {
        guard line.indent == 2 else { throw error(line, "a struct stands two spaces in, below its message's fields") }
        next += 1
        let name = String(line.text.dropFirst("struct ".count))
        let fields = try parseFields(indent: 4, of: &message)
        try define(Structure(name: name, fields: fields, line: line.number), in: &message)
      } else {
        message.fields += try parseFields(indent: 2, of: &message)
      }
    }
  }

  private mutating func parseFields(indent: Int, of message: inout Message) throws -> [Field] {
    var fields: [Field] = []
    while next < lines.count, lines[next].indent >= indent, !lines[next].text.hasPrefix("struct ") {
      let line = take()
      guard line.indent == indent else { throw error(line, "indented by \(line.indent), expected \(indent)") }
      let field = try parseField(line, of: message)
      fields.append(field)
      guard next < lines.count, lines[next].indent > indent else { continue }
      guard let structure = field.type.structureName else {
        throw error(lines[next], "`\(field.name)` is no struct and has no fields of its own")
      }
      // The struct's place is before those it holds, as its name comes first in the file.
      let place = message.structures.count
      let inner = try parseFields(indent: indent + 2, of: &message)
      try define(Structure(name: structure, fields: inner, line: line.number), at: place, in: &message)
    }
    return fields
  }

  private func define(_ structure: Structure, at place: Int? = nil, in message: inout Message) throws {
    if message.structure(named: structure.name) != nil {
      throw SchemaError(path: path, line: structure.line, message: "`\(structure.name)` is defined twice")
    }
    message.structures.insert(structure, at: place ?? message.structures.count)
  }

  /// `name: type? = default, v3+, nullable v4+, tag 0`
  private func parseField(_ line: SchemaLine, of message: Message) throws -> Field {
    guard let colon = line.text.firstIndex(of: ":") else { throw error(line, "expected `name: type`") }
    let name = String(line.text[..<colon])
    var clauses = SchemaLine(
      number: line.number, indent: 0, text: String(line.text[line.text.index(after: colon)...])
    ).clauses
    let declaration = clauses.removeFirst().split(separator: "=", maxSplits: 1).map { SchemaLine.trimmed(String($0)) }
    guard var typeName = declaration.first, !typeName.isEmpty else { throw error(line, "`\(name)` has no type") }
    let isNullable = typeName.hasSuffix("?")
    if isNullable { typeName.removeLast() }
    var field = Field(
      name: name, type: try wireType(typeName, fieldName: name, line), versions: message.versions, line: line.number)
    if declaration.count == 2 { field.defaultText = declaration[1] }
    for clause in clauses {
      if let versions = versions(clause, upTo: message.versions.high) {
        field.versions = versions
        field.hasOwnVersions = true
      } else if let tag = number(after: "tag ", in: clause) {
        field.tag = tag
      } else if clause.hasPrefix("nullable "),
        let versions = versions(String(clause.dropFirst("nullable ".count)), upTo: message.versions.high)
      {
        field.nullable = versions
      } else if clause == "never compact" {
        field.isNeverCompact = true
      } else {
        throw error(line, "unknown clause `\(clause)`")
      }
    }
    if isNullable { field.nullable = VersionRange(low: 0, high: .max) }
    return field
  }

  private func wireType(_ name: String, fieldName: String, _ line: SchemaLine) throws -> WireType {
    if name.hasPrefix("["), name.hasSuffix("]") {
      return .array(try wireType(String(name.dropFirst().dropLast()), fieldName: "", line))
    }
    switch name {
    case "int8": return .int8
    case "int16": return fieldName.lowercased().hasSuffix("errorcode") ? .errorCode : .int16
    case "int32": return .int32
    case "int64": return .int64
    case "uint16": return .uint16
    case "uint32": return .uint32
    case "float64": return .float64
    case "bool": return .bool
    case "string": return .string
    case "bytes": return .bytes
    case "uuid": return .uuid
    case "records": return .records
    default:
      guard let first = name.first, first.isUppercase else { throw error(line, "unknown type `\(name)`") }
      return .structure(name)
    }
  }

  // MARK: Words

  /// `v3`, `v3-7`, and `v3+` where `top` is known.
  private func versions(_ clause: String, upTo top: Int?) -> VersionRange? {
    guard clause.hasPrefix("v") else { return nil }
    let words = clause.dropFirst()
    if words.hasSuffix("+") {
      guard let top, let low = Int(words.dropLast()) else { return nil }
      return VersionRange(low: low, high: top)
    }
    let ends = words.split(separator: "-").map { Int($0) }
    guard let first = ends.first, let low = first, let last = ends.last, let high = last, ends.count <= 2 else {
      return nil
    }
    return VersionRange(low: low, high: high)
  }

  private func number(after word: String, in clause: String) -> Int? {
    clause.hasPrefix(word) ? Int(clause.dropFirst(word.count)) : nil
  }

  private mutating func take() -> SchemaLine {
    defer { next += 1 }
    return lines[next]
  }

  private func error(_ line: SchemaLine, _ message: String) -> SchemaError {
    SchemaError(path: path, line: line.number, message: message)
  }
}
