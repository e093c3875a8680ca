import Observability
import Testing

@Suite struct LoggerTests {
  @Test func escapesWhatCouldForgeALine() {
    #expect(Logger.printable("client 'a\nerror: b'") == "client 'a\\u{a}error: b'")
    #expect(Logger.printable("\u{1b}[31mred") == "\\u{1b}[31mred")
    #expect(Logger.printable("a\u{202e}b") == "a\\u{202e}b")
    #expect(Logger.printable("grüße, 世界") == "grüße, 世界")
  }

  @Test func cutsLongLines() {
    let line = Logger.printable(String(repeating: "x", count: 100_000))
    #expect(line.utf8.count < 4200)
    #expect(line.hasSuffix("..."))
  }
}
