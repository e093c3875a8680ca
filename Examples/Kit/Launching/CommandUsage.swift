/// What a program's options are, for those who call it: the page of `--help`, and how its arguments are read.
///
/// ```swift
/// let usage = CommandUsage(
///   "greeter", about: "Greets over HTTP.",
///   options: [CommandUsage.Option("port", "PORT", "where it listens; 0 takes any that is free", default: "8080")],
///   examples: ["greeter --port 9000"])
/// let options = usage.readOrExit()
/// let port = options["port"]
/// ```
package struct CommandUsage: Sendable {
  /// An option with a value, `--name VALUE` or `--name=VALUE`; or one that stands alone.
  package struct Option: Sendable {
    package let name: String
    package let placeholder: String
    package let about: String
    package let defaultValue: String

    package init(_ name: String, _ placeholder: String, _ about: String, default defaultValue: String) {
      self.name = name
      self.placeholder = placeholder
      self.about = about
      self.defaultValue = defaultValue
    }

    /// An option without a value, which is set where it is there: ``CommandOptions/isSet(_:)``.
    package init(flag name: String, _ about: String) { self.init(name, "", about, default: "") }

    var isFlag: Bool { placeholder.isEmpty }
  }

  /// What a command line comes to.
  package enum Reading: Equatable, Sendable {
    case options(CommandOptions)
    case help
  }

  package let program: String
  package let about: String
  package let options: [Option]
  package let examples: [String]

  package init(_ program: String, about: String, options: [Option], examples: [String]) {
    self.program = program
    self.about = about
    self.options = options
    self.examples = examples
  }

  /// The values of `arguments`, and the defaults of what they leave out.
  ///
  /// - Parameter arguments: without the program's own name. The last one counts where an option comes twice.
  /// - Throws: a sentence for an option that is not there, one without a value, and a word that is no option.
  package func read(_ arguments: [String]) throws(CommandError) -> Reading {
    var values = Dictionary(options.map { ($0.name, $0.defaultValue) }) { first, _ in first }
    let flags = Set(options.filter(\.isFlag).map(\.name))
    var words = arguments[...]
    while let word = words.popFirst() {
      if word == "--help" || word == "-h" { return .help }
      guard word.hasPrefix("--") else { throw CommandError("\(program) takes options only; what is \"\(word)\"?") }
      let halves = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(halves[0])
      guard values[name] != nil else {
        throw CommandError("there is no option --\(name); \(program) --help lists them")
      }
      if flags.contains(name) {
        guard halves.count == 1 else { throw CommandError("--\(name) takes no value") }
        values[name] = CommandOptions.flagValue
        continue
      }
      guard let value = halves.count > 1 ? String(halves[1]) : words.popFirst() else {
        throw CommandError("--\(name) needs a value")
      }
      values[name] = value
    }
    return .options(CommandOptions(values: values))
  }

  /// The page of `--help`.
  package var help: String {
    let heads = options.map { $0.isFlag ? "--\($0.name)" : "--\($0.name) \($0.placeholder)" }
    let width = (heads + ["--help"]).map(\.count).max() ?? 0
    func line(_ head: String, _ text: String) -> String {
      "  \(head)\(String(repeating: " ", count: width - head.count))  \(text)"
    }
    let listed = zip(heads, options).map { head, option in
      line(head, option.defaultValue.isEmpty ? option.about : "\(option.about) (default: \(option.defaultValue))")
    }
    return
      (["\(about)", "", "usage: \(program) [options]", ""] + listed + [line("--help", "shows this page"), ""]
      + ["examples:"] + examples.map { "  \($0)" }).joined(separator: "\n")
  }

  /// The options of this process; after `--help`, or a command line that cannot be read, the program has ended.
  package func readOrExit(_ arguments: [String] = Array(CommandLine.arguments.dropFirst())) -> CommandOptions {
    do {
      switch try read(arguments) {
      case .options(let options): return options
      case .help:
        print(help)
        endProgram(status: 0)
      }
    } catch {
      refuse(error)
    }
  }

  /// Ends the program with status 2, for what is wrong with its options.
  package func refuse(_ error: CommandError) -> Never {
    complain("\(program): \(error)")
    endProgram(status: 2)
  }
}

/// What is wrong with a command line, as a sentence.
package struct CommandError: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}
