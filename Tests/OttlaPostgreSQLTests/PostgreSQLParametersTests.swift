import OttlaSQL
import Testing

@testable import OttlaPostgreSQL

@Suite struct PostgreSQLParametersTests {
  @Test func valuesAreTextAndBytesAreBytes() throws {
    let values: [SQLValue] = [
      .integer(-7), .null, .text("Ân"), .text(""), .bytes([0, 1]), .bytes([]), .boolean(false), .real(-.infinity),
    ]
    let parameters = try PostgreSQLParameters(values)
    let seen = parameters.withPointers { pointers, lengths, formats -> [String] in
      (0..<parameters.count).map { index in
        guard let start = pointers[index] else { return "null" }
        guard formats[index] == 0 else {
          return "\((0..<Int(lengths[index])).map { UInt8(bitPattern: start[$0]) })"
        }
        return String(cString: start)
      }
    }
    #expect(seen == ["-7", "null", "Ân", "", "[0, 1]", "[]", "f", "-Infinity"])
  }

  @Test func whatCannotBeSentIsRefused() {
    #expect(throws: SQLError.self) { try PostgreSQLParameters([.text("a\0b")]) }
    #expect(throws: SQLError.self) { try PostgreSQLParameters(Array(repeating: .null, count: 65_536)) }
  }
}
