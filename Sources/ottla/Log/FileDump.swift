import Effects
import Storage

/// Writes what a small file of a broker holds, an entry a line.
struct FileDump {
  let isJSON: Bool
  let countMax: Int64

  /// Throws where the file cannot be read, or is damaged.
  func show(_ path: String, _ fileSystem: any FileSystem) throws {
    guard let entries = try FileListing.entries(path, fileSystem) else {
      throw CommandFailure("\(path) is damaged: it is not what its name says")
    }
    let output = StandardOutput()
    for entry in entries.prefix(Int(clamping: countMax)) {
      if isJSON {
        JSON.object(entry.map { ($0.name, json($0.value)) }).write(into: output.buffer)
        output.line("")
      } else {
        output.line(entry.map { "\($0.name) \(text($0.value))" }.joined(separator: ", "))
      }
      output.flushIfFull()
    }
    output.flush()
  }

  private func json(_ field: FileListing.Field) -> JSON {
    switch field {
    case .number(let number): .integer(number)
    case .text(let text): .string(text)
    }
  }

  private func text(_ field: FileListing.Field) -> String {
    switch field {
    case .number(let number): "\(number)"
    case .text(let text): text
    }
  }
}
