import Testing

@testable import OttlaPostgreSQL

@Suite struct PostgreSQLRowsTests {
  private func decode(_ text: String) -> [UInt8]? {
    Array(text.utf8).withUnsafeBytes { PostgreSQLRows.decodeHex($0) }
  }

  @Test func bytesInHex() {
    #expect(decode("\\x") == [])
    #expect(decode("\\x00ff7a") == [0, 0xff, 0x7a])
    for wrong in ["", "\\", "x0", "\\x0", "\\x0g", "\\xFF", "abc\\000"] { #expect(decode(wrong) == nil, "\(wrong)") }
  }
}
