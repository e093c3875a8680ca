/// The texts that `--help` shows, made of the command table.
enum HelpText {
  /// All commands, or those that begin with the word `area`.
  static func overview(_ commands: [Command], area: String? = nil) -> String {
    let shown = commands.filter { area == nil || $0.path.first == area }
    var lines: [String] = []
    if let area {
      lines.append("Usage: ottla \(area) COMMAND [OPTIONS]")
    } else {
      lines.append("Ottla: event streaming that speaks Kafka's protocol, in one program.")
      lines.append("")
      lines.append("Usage: ottla COMMAND [OPTIONS]")
    }
    lines.append("")
    lines += aligned(shown.map { ($0.path.joined(separator: " "), $0.summary) })
    lines.append("")
    lines.append("`ottla COMMAND --help` explains one command, with examples.")
    if area == nil { lines.append("Exit codes: 0 done, 1 failed, 2 wrong usage.") }
    return lines.joined(separator: "\n") + "\n"
  }

  static func of(_ command: Command) -> String {
    let name = command.path.joined(separator: " ")
    let parameters = command.parameters.map { parameter in
      let name = parameter.repeats ? "\(parameter.name) ..." : parameter.name
      return parameter.isOptional ? " [\(name)]" : " \(name)"
    }.joined()
    var lines = ["Usage: ottla \(name)\(parameters)\(command.options.isEmpty ? "" : " [OPTIONS]")"]
    lines.append("")
    lines.append(command.summary + ".")
    lines.append("")
    lines.append("Options:")
    lines += aligned(
      command.options.map { option in
        let names = option.names.sorted { $0.count < $1.count }.map(Option.dashed).joined(separator: ", ")
        return (option.value.map { "\(names) \($0)" } ?? names, option.help)
      } + [("--help", "show this text")])
    lines.append("")
    lines.append("Examples:")
    for example in command.examples {
      lines.append("  # \(example.meaning)")
      lines.append("  \(example.line)")
    }
    return lines.joined(separator: "\n") + "\n"
  }

  /// Two columns, indented; a long left side has a line of its own.
  private static func aligned(_ rows: [(left: String, right: String)]) -> [String] {
    let width = min(30, rows.map(\.left.count).max() ?? 0)
    return rows.flatMap { left, right -> [String] in
      if left.count > width { return ["  " + left, String(repeating: " ", count: width + 4) + right] }
      return ["  " + left + String(repeating: " ", count: width - left.count + 2) + right]
    }
  }
}
