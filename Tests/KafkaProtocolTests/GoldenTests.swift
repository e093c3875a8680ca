import Foundation
import Primitives
import Testing

@testable import KafkaProtocol

/// Bytes that other implementations wrote: see make_golden.py.
struct GoldenVector {
  let message: String
  let version: Int16
  let source: String
  let bytes: [UInt8]
  /// The fields' values, every leaf as text; only for the newest versions.
  let values: [String: Any]?

  init(_ line: Substring) throws {
    let words = line.split(separator: " ", maxSplits: 4).map(String.init)
    try #require(words.count >= 4)
    message = words[0]
    version = try #require(Int16(words[1]))
    source = words[2]
    bytes = words[3] == "-" ? [] : Array(try #require(Data(base64Encoded: words[3])))
    values = try words.count < 5 ? nil : JSONSerialization.jsonObject(with: Data(words[4].utf8)) as? [String: Any]
  }

  static func all() throws -> [GoldenVector] {
    let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Golden.txt").path
    return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map { try GoldenVector($0) }
  }
}

@Suite struct GoldenTests {
  /// What others encode we decode whole, encode to the same bytes, and read the same values from.
  @Test func vectors() throws {
    let types = Dictionary(uniqueKeysWithValues: everyMessage.map { ("\($0)", $0) })
    var checked: Set<String> = []
    for vector in try GoldenVector.all() {
      let type = try #require(types[vector.message])
      if check(vector, as: type) { checked.insert("\(vector.message) \(vector.version)") }
    }
    // As many pairs of message and version as the two libraries and we have in common.
    #expect(checked.count == 488, "\(checked.count) pairs")
  }

  private func check<Type: Message>(_ vector: GoldenVector, as type: Type.Type) -> Bool {
    // Some of the libraries' versions are older or newer than what brokers of today serve.
    guard type.versions.contains(vector.version) else { return false }
    let decoded = type.attempt(vector.bytes, version: vector.version)
    let name = "\(vector.message) version \(vector.version) of \(vector.source)"
    #expect(decoded.failure == nil, "\(name)")
    #expect(decoded.position == vector.bytes.count, "\(name)")
    #expect(decoded.message.encoded(version: vector.version, source: vector.bytes) == vector.bytes, "\(name)")
    if let values = vector.values {
      let difference = Leaves(source: vector.bytes).difference(values, decoded.message)
      #expect(difference == nil, "\(name): \(difference ?? "")")
    }
    return true
  }
}

/// Compares a decoded message with the values it was made of.
private struct Leaves {
  let source: [UInt8]

  /// Where the two differ first; nil where they do not. Fields that the vector leaves out are not compared.
  func difference(_ expected: Any, _ actual: Any) -> String? {
    let mirror = Mirror(reflecting: actual)
    if mirror.displayStyle == .optional {
      guard let some = mirror.children.first else { return expected is NSNull ? nil : "nil, not \(expected)" }
      return difference(expected, some.value)
    }
    if expected is NSNull { return "\(actual)" == "null" ? nil : "\(actual), not null" }
    if let fields = expected as? [String: Any] { return difference(ofFields: fields, mirror) }
    if let elements = expected as? [Any], mirror.displayStyle == .collection {
      guard elements.count == mirror.children.count else { return "\(mirror.children.count) elements" }
      for (element, child) in zip(elements, mirror.children) {
        if let found = difference(element, child.value) { return found }
      }
      return nil
    }
    return "\(expected)" == text(actual) ? nil : "\(text(actual)), not \(expected)"
  }

  private func difference(ofFields fields: [String: Any], _ mirror: Mirror) -> String? {
    let children = Dictionary(uniqueKeysWithValues: mirror.children.map { ($0.label ?? "", $0.value) })
    for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
      guard let child = children[name] else { return "no field \(name)" }
      if let found = difference(value, child) { return "\(name): \(found)" }
    }
    return nil
  }

  private func text(_ value: Any) -> String {
    switch value {
    case let code as ErrorCode: String(code.rawValue)
    case let id as KafkaUUID: hex(withUnsafeBytes(of: (id.high.bigEndian, id.low.bigEndian)) { Array($0) })
    case let bytes as [UInt8]: hex(bytes)
    case RecordsPayload.slice(let range): hex(Array(source[range]))
    default: "\(value)"
    }
  }

  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { String(format: "%02x", $0) }.joined()
  }
}
