/// One subcommand: its words, what it takes, how it is explained, and what it does.
struct Command {
  /// The words that call it, such as `topic create`.
  let path: [String]
  /// One line for the overview: what it does, without a full stop.
  let summary: String
  let parameters: [Parameter]
  let options: [Option]
  /// Whole command lines, each with what it does.
  let examples: [(line: String, meaning: String)]
  /// Does the work. Throws `UsageError` for what was asked wrongly; any other error's description is shown.
  let run: (Arguments) throws -> Void

  init(
    _ path: String, _ summary: String, parameters: [Parameter] = [], options: [Option] = [],
    examples: [(line: String, meaning: String)], run: @escaping (Arguments) throws -> Void
  ) {
    self.path = path.split(separator: " ").map(String.init)
    self.summary = summary
    self.parameters = parameters
    self.options = options
    self.examples = examples
    self.run = run
  }
}

/// A word on the command line that belongs to no option.
struct Parameter {
  /// How the help names it, such as `TOPIC`.
  let name: String
  /// Whether one or more may be given; only the last parameter of a command.
  let repeats: Bool
  /// Whether it may be left out; only the last parameter of a command.
  let isOptional: Bool

  init(_ name: String, repeats: Bool = false, isOptional: Bool = false) {
    self.name = name
    self.repeats = repeats
    self.isOptional = isOptional
  }
}

/// A named choice: a flag, or a name with a value.
struct Option {
  /// Without dashes; one letter is written `-x`, more are written `--name`. The first is the one that code asks by.
  let names: [String]
  /// What the help calls the value, such as `N`; nil for a flag.
  let value: String?
  /// Whether it may be given again, and whether further words with a `=` inside belong to it.
  let repeats: Bool
  let takesPairs: Bool
  let help: String

  static func flag(_ names: String..., help: String) -> Option {
    Option(names: names, value: nil, repeats: true, takesPairs: false, help: help)
  }

  static func value(_ names: String..., as value: String, repeats: Bool = false, help: String) -> Option {
    Option(names: names, value: value, repeats: repeats, takesPairs: false, help: help)
  }

  /// `--config a=1 b=2 --config c=3`
  static func pairs(_ names: String..., help: String) -> Option {
    Option(names: names, value: "NAME=VALUE ...", repeats: true, takesPairs: true, help: help)
  }

  static func dashed(_ name: String) -> String { name.count == 1 ? "-\(name)" : "--\(name)" }
}

/// The command line asks for something that does not exist or makes no sense; exit code 2.
struct UsageError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}

/// The work could not be done; exit code 1.
struct CommandFailure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
