import Client
import Primitives
import Testing

@Suite struct RecordFormatTests {
  @Test(arguments: ["%", "%z", "a\\", "\\q", "\\x1", "\\xzz"])
  func refusesWhatMeansNothing(_ text: String) {
    #expect(throws: RecordFormat.FormatError.self) { try RecordFormat(text) }
  }

  @Test func theUsualFormatIsTheValueAndALineEnd() throws {
    #expect(try RecordFormat("%s\\n") == .value)
  }

  @Test func escapesBecomeBytes() throws {
    #expect(try RecordFormat.unescape("a\\t\\x00\\\\") == [97, 9, 0, 92])
  }

  @Test(arguments: [0, 7, -1, 10, Int64.max, Int64.min]) func decimalsAreWrittenAsSwiftWritesThem(_ number: Int64) {
    let output = OutputBuffer()
    output.append(decimal: number)
    #expect(String(decoding: output.bytes, as: UTF8.self) == "\(number)")
  }
}
