import Client
import Primitives

/// A JSON value, for `-o json`. Members keep the order they are given in.
indirect enum JSON {
  case object([(String, JSON)])
  case array([JSON])
  case string(String)
  case integer(Int64)
  case number(Double)
  case bool(Bool)
  case null

  static func integer(_ value: Int32) -> JSON { .integer(Int64(value)) }
  static func integer(_ value: Int) -> JSON { .integer(Int64(value)) }
  static func optional(_ text: String?) -> JSON { text.map(JSON.string) ?? .null }

  /// Appends the value in one line.
  func write(into output: OutputBuffer) {
    switch self {
    case .object(let members):
      output.append(text: "{")
      for (position, member) in members.enumerated() {
        if position > 0 { output.append(text: ",") }
        JSON.writeString(member.0, into: output)
        output.append(text: ":")
        member.1.write(into: output)
      }
      output.append(text: "}")
    case .array(let elements):
      output.append(text: "[")
      for (position, element) in elements.enumerated() {
        if position > 0 { output.append(text: ",") }
        element.write(into: output)
      }
      output.append(text: "]")
    case .string(let text): JSON.writeString(text, into: output)
    case .integer(let value): output.append(decimal: value)
    case .number(let value): output.append(text: value.isFinite ? "\(value)" : "null")
    case .bool(let value): output.append(text: value ? "true" : "false")
    case .null: output.append(text: "null")
    }
  }

  private static func writeString(_ text: String, into output: OutputBuffer) {
    var bytes: [UInt8] = [UInt8(ascii: "\"")]
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case 0x0a: bytes += Array("\\n".utf8)
      case 0x0d: bytes += Array("\\r".utf8)
      case 0x09: bytes += Array("\\t".utf8)
      case 0..<0x20: bytes += Array("\\u00".utf8) + [hexDigits[Int(byte >> 4)], hexDigits[Int(byte & 15)]]
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
    output.append(bytes)
  }

  private static let hexDigits = Array("0123456789abcdef".utf8)
}

/// Shows one value and a line end on standard output.
func show(_ value: JSON) {
  let output = StandardOutput()
  value.write(into: output.buffer)
  output.line("")
  output.flush()
}
