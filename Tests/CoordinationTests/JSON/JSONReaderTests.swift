import Primitives
import TestSupport
import Testing

@testable import Coordination

private func read(_ text: String) -> JSONValue? { JSONReader.read(Array(text.utf8)) }

@Suite struct JSONReaderTests {
  @Test func valuesAreReadAsTheyStand() {
    #expect(
      read(" {\"a\" : [1, -2, true, null, \"x\"], \"b\":{} } ")
        == .object(("a", .array([.integer(1), .integer(-2), .bool(true), .null, .string("x")])), ("b", .object([]))))
    #expect(read("1.5e3") == .number("1.5e3"))
    #expect(read("9223372036854775808") == .number("9223372036854775808"))
    #expect(read(#""\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00""#) == .string("\"\\/\u{8}\u{c}\n\r\té😀"))
    #expect(read("{\"a\":1,\"a\":2}")?["a"] == .integer(2))
  }

  @Test(arguments: [
    "", "{", "}", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "nul", "tru e", "1 2", "+1", "-", "--1", "\"", "\"\\x\"",
    "\"\\u12\"",
    "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"a\nb\"", "infinity", "[1 2]", "0x10",
  ])
  func whatIsNoJSONIsRefused(_ text: String) {
    #expect(read(text) == nil)
  }

  @Test func depthAndLengthHaveLimits() {
    let deep = String(repeating: "[", count: 15) + String(repeating: "]", count: 15)
    #expect(read(deep) != nil)
    #expect(read("[[" + deep + "]]") == nil)
    #expect(read("[" + String(repeating: " ", count: JSONReader.byteCountMax) + "]") == nil)
    #expect(JSONReader.read([0x22, 0xff, 0x22]) == nil)
  }

  @Test func whatIsWrittenIsReadAgain() {
    let value = JSONValue.object(
      ("quote\"", .string("a\\b\u{1}\n\u{7f}é😀")),
      ("numbers", .array([.integer(.max), .integer(.min), .number("1.5")])),
      ("none", .null), ("no", .bool(false)))
    #expect(JSONReader.read(value.bytes) == value)
  }

  /// Whatever is changed in a text: it is read as something or refused, and nothing traps.
  @Test func mutationsDoNotTrap() {
    let random = SeededRandom(seed: 5)
    let text = BrokerNode.bytes(.sample(1), at: .none)
    for _ in 0..<5000 {
      var bytes = text
      for _ in 0...random.below(3) {
        let position = random.below(bytes.count)
        switch random.below(3) {
        case 0: bytes[position] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.remove(at: position)
        default: bytes.removeLast(bytes.count - position)
        }
        if bytes.isEmpty { break }
      }
      _ = BrokerNode.presence(of: bytes, id: .none)
      _ = SnapshotPointer(bytes)
      _ = LogNode(bytes)
    }
  }
}
