import Testing

@testable import Launching

@Suite struct CommandUsageTests {
  private let usage = CommandUsage(
    "greeter", about: "Greets over HTTP.",
    options: [
      CommandUsage.Option("port", "PORT", "where it listens", default: "8080"),
      CommandUsage.Option("name", "NAME", "whom it greets", default: ""),
    ], examples: ["greeter --port 9000"])

  private func read(_ arguments: String...) throws -> CommandOptions {
    guard case .options(let options) = try usage.read(arguments) else { throw CommandError("help") }
    return options
  }

  @Test func valuesComeInBothForms() throws {
    #expect(try read()["port"] == "8080")
    #expect(try read("--port", "1")["port"] == "1")
    let both = try read("--port=1", "--name=a=b", "--port", "2")
    #expect(both["port"] == "2" && both["name"] == "a=b")
    #expect(try read("--name=")["name"] == "")
    // What follows is a value, whatever it looks like.
    #expect(try read("--name", "--port")["name"] == "--port")
  }

  @Test func aFlagStandsAlone() throws {
    let usage = CommandUsage(
      "greeter", about: "", options: [.init(flag: "loud", "shouts"), .init("name", "NAME", "whom", default: "")],
      examples: [])
    func read(_ arguments: String...) throws -> CommandOptions {
      guard case .options(let options) = try usage.read(arguments) else { throw CommandError("help") }
      return options
    }
    #expect(try !read().isSet("loud"))
    let both = try read("--loud", "--name", "An")
    #expect(both.isSet("loud") && both["name"] == "An")
    #expect(throws: CommandError("--loud takes no value")) { try read("--loud=no") }
    #expect(usage.help.contains("  --loud       shouts\n"))
  }

  @Test(arguments: [
    (["--prot", "1"], "there is no option --prot; greeter --help lists them"),
    (["--port"], "--port needs a value"),
    (["8080"], "greeter takes options only; what is \"8080\"?"),
    (["-p", "8080"], "greeter takes options only; what is \"-p\"?"),
  ])
  func whatCannotBeReadIsSaid(_ arguments: [String], _ sentence: String) {
    #expect(throws: CommandError(sentence)) { try usage.read(arguments) }
  }

  @Test func helpShowsOptionsDefaultsAndExamples() throws {
    #expect(try usage.read(["--port", "1", "--help"]) == .help)
    #expect(try usage.read(["-h"]) == .help)
    #expect(
      usage.help == """
        Greets over HTTP.

        usage: greeter [options]

          --port PORT  where it listens (default: 8080)
          --name NAME  whom it greets
          --help       shows this page

        examples:
          greeter --port 9000
        """)
  }
}
