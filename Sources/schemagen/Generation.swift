import Foundation

/// One run over a repository: which schemas there are, and which files come out of them.
struct Generation {
  let root: String

  private var messagesFolder: String { "Sources/KafkaProtocol/Messages" }
  private var testsFolder: String { "Tests/KafkaProtocolTests/Generated" }

  func run() throws {
    let schemas = try parseSchemas()
    var files: [String: String] = [:]
    for schema in schemas {
      files["\(messagesFolder)/\(schema.swiftFileName).swift"] = MessageFile(schema).text
    }
    let apis = schemas.compactMap(\.api).sorted { $0.key < $1.key }
    files["\(messagesFolder)/APIKey.swift"] = APIKeyFile(apis).text
    files["\(messagesFolder)/Request.swift"] = RequestFile(apis).text
    files["\(messagesFolder)/Response.swift"] = ResponseFile(apis).text
    files["\(testsFolder)/RandomMessages.swift"] = RandomMessagesFile(schemas).text
    files["Sources/Primitives/ErrorCode.swift"] = try errorCodeFile().text
    for (path, text) in files.sorted(by: { $0.key < $1.key }) { try write(text, to: path) }
    try removeLeftovers(in: messagesFolder, except: files)
  }

  private func parseSchemas() throws -> [SchemaFile] {
    var schemas: [SchemaFile] = []
    for folder in ["Schemas/Messages", "Schemas/Records"] {
      for name in try names(in: folder) where name.hasSuffix(".schema") {
        let path = "\(folder)/\(name)"
        var parser = try SchemaParser(path: path, text: read(path))
        schemas.append(try parser.parse())
      }
    }
    return schemas
  }

  private func errorCodeFile() throws -> ErrorCodeFile {
    let path = "Schemas/Errors.schema"
    return ErrorCodeFile(try parseErrorCodes(path: path, text: read(path)))
  }

  private func names(in folder: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)").sorted()
  }

  private func read(_ path: String) throws -> String {
    try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
  }

  /// Leaves a file that is right already alone, so that nothing is built anew for it.
  private func write(_ text: String, to path: String) throws {
    let target = "\(root)/\(path)"
    if let present = try? String(contentsOfFile: target, encoding: .utf8), present == text { return }
    try FileManager.default.createDirectory(
      atPath: (target as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try text.write(toFile: target, atomically: true, encoding: .utf8)
    print("wrote \(path)")
  }

  /// Takes away generated files whose schema is gone.
  private func removeLeftovers(in folder: String, except files: [String: String]) throws {
    for name in try names(in: folder) where files["\(folder)/\(name)"] == nil {
      try FileManager.default.removeItem(atPath: "\(root)/\(folder)/\(name)")
      print("removed \(folder)/\(name)")
    }
  }
}
