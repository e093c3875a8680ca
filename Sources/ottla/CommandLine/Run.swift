import Client
import Primitives

/// The program's version, as `ottla --version` says it.
let ottlaVersion = "0.1.0"

/// Runs the command that `words` name.
///
/// - Returns: the exit code: 0 done, 1 failed, 2 wrong usage.
func runOttla(_ words: [String]) -> Int32 {
  let commands = allCommands()
  guard let first = words.first else {
    standardError(HelpText.overview(commands))
    return 2
  }
  switch first {
  case "--help", "-h": return show(HelpText.overview(commands))
  case "--version", "version": return show("ottla \(ottlaVersion)\n")
  case "help": return runOttla(Array(words.dropFirst()) + ["--help"])
  default: break
  }
  if let command = command(words, among: commands) { return run(command, Array(words.dropFirst(command.path.count))) }
  return explain(words, commands)
}

private func command(_ words: [String], among commands: [Command]) -> Command? {
  commands.filter { words.starts(with: $0.path) }.max { $0.path.count < $1.path.count }
}

private func run(_ command: Command, _ words: [String]) -> Int32 {
  let name = command.path.joined(separator: " ")
  do {
    let arguments = try Arguments(words, for: command)
    if arguments.asksForHelp { return show(HelpText.of(command)) }
    try command.run(arguments)
    return 0
  } catch let error as UsageError {
    standardError("ottla \(name): \(error)\nSee `ottla \(name) --help`.\n")
    return 2
  } catch {
    standardError("ottla \(name): \(error)\n")
    return 1
  }
}

/// What to say of words that are no command: those of their area, or a guess.
private func explain(_ words: [String], _ commands: [Command]) -> Int32 {
  let areas = Set(commands.filter { $0.path.count > 1 }.map { $0.path[0] })
  if areas.contains(words[0]) {
    if words.dropFirst().contains("--help") || words.dropFirst().contains("-h") {
      return show(HelpText.overview(commands, area: words[0]))
    }
    if words.count > 1 { standardError("ottla \(words[0]): unknown command '\(words[1])'.\n\n") }
    standardError(HelpText.overview(commands, area: words[0]))
    return 2
  }
  let guess = nearest(to: words[0], among: Set(commands.map { $0.path[0] }).sorted())
  let hint = guess.map { "; did you mean `ottla \($0)`?" } ?? "; `ottla --help` lists them"
  standardError("ottla: unknown command '\(words[0])'\(hint)\n")
  return 2
}

private func show(_ text: String) -> Int32 {
  let output = StandardOutput()
  output.append(text: text)
  output.flush()
  return 0
}
