import Testing

@testable import Launching

@Suite struct ConsoleTests {
  @Test func aLineStaysALine() {
    #expect(printable("to Bình: chào 👋") == "to Bình: chào 👋")
    #expect(printable("hello\nready http=evil") == "hello\\nready http=evil")
    #expect(printable("\u{1b}[2J\r\t\u{2028}\u{202e}\0") == "\\u{1b}[2J\\u{d}\\u{9}\\u{2028}\\u{202e}\\u{0}")
  }
}
