import Foundation
import Primitives
import Testing

@testable import ottla

@Suite("JSON")
struct JSONTests {
  private func text(_ value: JSON) -> String {
    let output = OutputBuffer()
    value.write(into: output)
    return String(decoding: output.bytes, as: UTF8.self)
  }

  @Test("members keep their order, in one line")
  func structure() {
    let value = JSON.object([
      ("b", .array([.integer(Int64.min), .bool(true), .null])), ("a", .object([])), ("c", .array([])),
      ("d", .optional(nil)), ("e", .optional("x")),
    ])
    #expect(text(value) == #"{"b":[-9223372036854775808,true,null],"a":{},"c":[],"d":null,"e":"x"}"#)
  }

  @Test("numbers that JSON does not have are null")
  func numbers() {
    #expect(
      text(.array([.number(0.5), .number(1e300), .number(.nan), .number(-.infinity)])) == "[0.5,1e+300,null,null]")
  }

  @Test("any text comes back from another reader as it was")
  func strings() throws {
    let samples =
      [
        "", "plain", "\"quoted\" \\ / back\\\\", "tab\tline\nreturn\r\n", "Größe 東京 👩‍🚀", "\u{2028}\u{feff}\u{fffd}",
        "{\"a\":1}",
      ] + (0...0x7f).map { String(UnicodeScalar(UInt8($0))) }
    for sample in samples {
      let line = text(.object([(sample, .string(sample))]))
      #expect(!line.utf8.contains { $0 < 0x20 })
      let read = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: String]
      #expect(read == [sample: sample])
    }
  }
}
