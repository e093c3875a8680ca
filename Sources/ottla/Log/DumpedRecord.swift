import Client
import Primitives
import Records
import Storage

/// A record as it is shown.
struct DumpedRecord {
  let offset: Int64
  let text: String
  let json: JSON

  init(
    _ record: StoredRecord, of batch: StoredBatch, in memory: UnsafeRawBufferPointer
  ) throws(RecordError) {
    offset = record.offset
    let key = record.key.map { ShownBytes(memory[$0]) }
    let value = record.value.map { ShownBytes(memory[$0]) }
    var headers: [(name: ShownBytes, value: ShownBytes?)] = []
    try record.view?.forEachHeader(in: memory) { name, value in
      headers.append((ShownBytes(memory[name]), value.map { ShownBytes(memory[$0]) }))
    }
    var line = "\(offset) \(PointInTime.text(shownTime(record.timestamp))) "
    line += "key \(key?.quoted ?? "null") value \(value?.quoted ?? "null")"
    for (name, value) in headers { line += " \(name.escaped)=\(value?.quoted ?? "null")" }
    if batch.attributes.isControl { line += Self.marker(record, in: memory) }
    text = line
    json = .object(
      [("offset", .integer(offset)), ("timestamp", .integer(record.timestamp.milliseconds))]
        + ShownBytes.members("key", key) + ShownBytes.members("value", value)
        + [
          ("headers", .array(headers.map { .object([("name", $0.name.json)] + ShownBytes.members("value", $0.value)) }))
        ])
  }

  private static func marker(_ record: StoredRecord, in memory: UnsafeRawBufferPointer) -> String {
    guard let key = record.key, let value = record.value,
      let marker = ControlRecord(
        key: UnsafeRawBufferPointer(rebasing: memory[key]), value: UnsafeRawBufferPointer(rebasing: memory[value]))
    else { return "" }
    return " (\(marker.kind) of coordinator epoch \(marker.coordinatorEpoch))"
  }
}

/// Bytes as they are shown: text where they are UTF-8, else with what is no text as `\xHH`.
struct ShownBytes {
  private let bytes: [UInt8]
  private let text: String?

  init(_ bytes: Slice<UnsafeRawBufferPointer>) {
    self.bytes = Array(bytes)
    text = String(validating: self.bytes, as: UTF8.self)
  }

  var quoted: String { text.map(Self.quoted) ?? "\"\(escaped)\"" }
  var json: JSON { .string(text ?? escaped) }

  /// Without quotes.
  var escaped: String {
    guard text == nil else { return String(quoted.dropFirst().dropLast()) }
    var shown = ""
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): shown += "\\" + String(UnicodeScalar(byte))
      case 0x20..<0x7f: shown += String(UnicodeScalar(byte))
      default: shown += "\\x" + Self.hex(byte)
      }
    }
    return shown
  }

  /// A member for the text, or for the bytes in hexadecimal digits where they are no text.
  static func members(_ name: String, _ shown: ShownBytes?) -> [(String, JSON)] {
    guard let shown else { return [(name, .null)] }
    if let text = shown.text { return [(name, .string(text))] }
    return [(name + "Hex", .string(shown.bytes.map(hex).joined()))]
  }

  private static func hex(_ byte: UInt8) -> String {
    let digits = Array("0123456789abcdef")
    return String([digits[Int(byte >> 4)], digits[Int(byte & 15)]])
  }

  private static func quoted(_ text: String) -> String {
    let buffer = OutputBuffer()
    JSON.string(text).write(into: buffer)
    return String(decoding: buffer.bytes, as: UTF8.self)
  }
}
