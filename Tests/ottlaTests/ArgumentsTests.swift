import Testing

@testable import ottla

@Suite("Arguments")
struct ArgumentsTests {
  private let command = Command(
    "send", "does nothing", parameters: [Parameter("TOPIC"), Parameter("FILE", repeats: true, isOptional: true)],
    options: [
      .value("count", "n", as: "N", help: ""), .flag("exit-at-end", "e", help: ""), .flag("quiet", "q", help: ""),
      .value("X", as: "NAME=VALUE", repeats: true, help: ""), .pairs("config", help: ""),
    ],
    examples: []
  ) { _ in }

  private func arguments(_ words: String...) throws -> Arguments { try Arguments(words, for: command) }

  private func refusal(_ words: String...) -> String? {
    do throws(UsageError) {
      _ = try Arguments(words, for: command)
      return nil
    } catch {
      return error.description
    }
  }

  @Test(
    "a value stands behind its option, behind a =, or at its letter; flags run together",
    arguments: [
      ["t", "--count", "5", "-e"], ["--count=5", "t", "--exit-at-end"], ["-n", "5", "-e", "t"], ["-en5", "t"],
      ["-en", "5", "t"], ["-n5", "-e", "--", "t"],
    ])
  func spellings(words: [String]) throws {
    let arguments = try Arguments(words, for: command)
    #expect(arguments.parameters == ["t"])
    #expect(arguments.text("count") == "5")
    #expect(arguments.has("exit-at-end") && !arguments.has("quiet"))
  }

  @Test("values may be empty, begin with a dash, or hold a =")
  func values() throws {
    #expect(try arguments("t", "--count=").text("count") == "")
    #expect(try arguments("t", "-n", "-5").text("count") == "-5")
    #expect(try arguments("t", "--count", "--exit-at-end").text("count") == "--exit-at-end")
    #expect(try arguments("t", "-X", "a=b=c").pairs("X").map(\.value) == ["b=c"])
  }

  @Test("behind -- every word is a parameter, and a lone - is one too")
  func parameters() throws {
    #expect(try arguments("--", "t", "-e", "--").parameters == ["t", "-e", "--"])
    #expect(try arguments("t", "-").parameters == ["t", "-"])
  }

  @Test("pairs take all words with a = that follow, others take one")
  func pairs() throws {
    let found = try arguments("--config", "a=1", "b=2", "t", "c=3", "--config", "d=4")
    #expect(found.texts("config") == ["a=1", "b=2", "d=4"])
    #expect(found.parameters == ["t", "c=3"])
    let properties = try arguments("-X", "a=1", "b=2", "-Xc=3")
    #expect(properties.texts("X") == ["a=1", "c=3"])
    #expect(properties.parameters == ["b=2"])
    #expect(throws: UsageError.self) { try arguments("t", "-X", "=1").pairs("X") }
  }

  @Test("numbers and choices are checked when they are asked for")
  func checked() throws {
    #expect(try arguments("t").integer("count", in: 1...9) == nil)
    #expect(try arguments("t", "-n9").integer("count", in: 1...9) == 9)
    for text in ["0", "10", "", "x", "1.0", "9223372036854775808"] {
      #expect(throws: UsageError.self, "\(text)") {
        try arguments("t", "--count=\(text)").integer("count", in: 1...9)
      }
    }
    #expect(try arguments("t", "-na").choice("count", among: ["a", "b"]) == "a")
    #expect(throws: UsageError.self) { try arguments("t", "-nc").choice("count", among: ["a", "b"]) }
  }

  @Test("what does not belong is named")
  func refusals() {
    #expect(refusal("t") == nil)
    #expect(refusal("-e") == "TOPIC is missing")
    #expect(refusal("t", "--cuont", "5") == "unknown option --cuont; did you mean --count?")
    #expect(refusal("t", "--nonsense") == "unknown option --nonsense")
    #expect(refusal("t", "-ez") == "unknown option -z")
    #expect(refusal("t", "--quiet=yes") == "--quiet takes no value")
    #expect(refusal("t", "-n") == "-n needs a value: -n N")
    #expect(refusal("t", "-n1", "--count=2") == "--count is given twice")
    #expect(refusal("t", "-e", "-e") == nil)
  }

  @Test("who asks for help need give nothing else")
  func help() throws {
    #expect(try arguments("--help").asksForHelp)
    #expect(try arguments("-h").asksForHelp)
    #expect(try !arguments("t", "--", "--help").asksForHelp)
  }

  @Test("a slip of two letters is guessed, more is not")
  func nearestWord() {
    #expect(nearest(to: "partiton", among: ["partitions", "partition", "topic"]) == "partition")
    #expect(nearest(to: "topics", among: ["topic", "group"]) == "topic")
    #expect(nearest(to: "x", among: ["ab"]) == nil)
    #expect(nearest(to: "", among: ["topic"]) == nil)
    #expect(nearest(to: String(repeating: "x", count: 10_000), among: ["topic"]) == nil)
  }
}
