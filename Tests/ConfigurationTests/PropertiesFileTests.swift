import Testing

@testable import Configuration

@Suite("PropertiesFile, by the rules of Java's Properties.load")
struct PropertiesFileTests {
  private func pairs(_ contents: String) throws -> [String] {
    try PropertiesFile.entries(contents).map { "\($0.name)=\($0.value)" }
  }

  @Test("separators: equals, colon, white space, and white space around them")
  func separators() throws {
    #expect(
      try pairs("a=1\nb:2\nc 3\nd = 4\n\te\t:\t5\nf\ng=\nh==8\ni = = 9\nj k=l") == [
        "a=1", "b=2", "c=3", "d=4", "e=5", "f=", "g=", "h==8", "i== 9", "j=k=l",
      ])
  }

  @Test("comments and blank lines, not inside values")
  func comments() throws {
    #expect(try pairs("# a=1\n  ! b=2\n\n   \nc=3 # no comment\nd=#4") == ["c=3 # no comment", "d=#4"])
  }

  @Test("an odd number of backslashes continues a line, an even one does not; comments never go on")
  func continuation() throws {
    #expect(try pairs("a=1,\\\n    2,\\\r\n  3\nb=4\\\\\nc=5") == ["a=1,2,3", "b=4\\", "c=5"])
    #expect(try pairs("# x\\\na=1") == ["a=1"])
    #expect(try pairs("a=1\\") == ["a=1"])
    #expect(try pairs("a=1\\\n") == ["a=1"])
    #expect(try pairs("\\\na=1") == ["a=1"])
  }

  @Test("escapes in names and values")
  func escapes() throws {
    #expect(try pairs("a\\=b\\ c=\\t\\n\\r\\f\\q\\\\") == ["a=b c=\t\n\r\u{c}q\\"])
    #expect(try pairs("a=\\u00e4\\uD83D\\uDE00") == ["a=ä😀"])
    #expect(try pairs("ä=😀") == ["ä=😀"])
    #expect(try pairs("a\\") == ["a="])
  }

  @Test("every kind of line end, white space at the end of a value, a byte order mark")
  func ends() throws {
    #expect(try pairs("\u{feff}a=1\rb=2\r\nc=3 \nd=4") == ["a=1", "b=2", "c=3 ", "d=4"])
    #expect(try PropertiesFile.entries("a=1\r\n\r\nb=\\\n2\nc=3").map(\.line) == [1, 3, 5])
  }

  @Test("a broken \\u is an error with its line", arguments: ["\\u12", "\\u12G4", "\\u+123", "\\u"])
  func badEscape(text: String) {
    #expect(throws: PropertiesFile.BadEscape.self) { try PropertiesFile.entries("\n\na=\(text)") }
    do throws(ConfigurationError) {
      _ = try ConfigurationSources(file: "\n\na=\(text)").load()
    } catch {
      #expect(error.badValues.map(\.origin) == [.file(line: 3)])
    }
  }

  @Test("any text is read without a trap")
  func anyText() {
    var state: UInt64 = 42
    let alphabet = Array("ab=: \\\n\r\t#!u0f\u{c}ä😀")
    for _ in 0..<5000 {
      var text = ""
      for _ in 0..<12 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        text.append(alphabet[Int(state >> 33) % alphabet.count])
      }
      _ = try? PropertiesFile.entries(text)
    }
  }
}
