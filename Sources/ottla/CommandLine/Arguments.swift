/// What the words behind a command mean: parameters in order, and options by name.
struct Arguments {
  private(set) var parameters: [String] = []
  private var values: [String: [String]] = [:]
  private(set) var asksForHelp = false

  /// Reads `words`, the part of a command line behind the command's own words.
  ///
  /// - Throws: `UsageError` naming the first word that does not belong.
  init(_ words: [String], for command: Command) throws(UsageError) {
    var index = 0
    while index < words.count {
      let word = words[index]
      index += 1
      if word == "--" {
        parameters += words[index...]
        break
      } else if word == "--help" || word == "-h" && !Self.isDefined("h", command) {
        asksForHelp = true
      } else if word.hasPrefix("--") {
        try takeLong(word, words, &index, command)
      } else if word.hasPrefix("-"), word.count > 1 {
        try takeShort(word, words, &index, command)
      } else {
        parameters.append(word)
      }
    }
    if !asksForHelp { try checkParameters(command) }
  }

  /// `--name`, `--name value`, `--name=value`
  private mutating func takeLong(
    _ word: String, _ words: [String], _ index: inout Int, _ command: Command
  ) throws(UsageError) {
    let body = word.dropFirst(2)
    let equals = body.firstIndex(of: "=")
    let name = String(body[..<(equals ?? body.endIndex)])
    guard let option = Self.option(name, command) else {
      throw UsageError("unknown option --\(name)\(Self.suggestion(for: name, command))")
    }
    if option.value == nil {
      if equals != nil { throw UsageError("--\(name) takes no value") }
      try set(option, "", as: "--\(name)")
    } else if let equals {
      try set(option, String(body[body.index(after: equals)...]), as: "--\(name)")
    } else {
      try takeValue(of: option, as: "--\(name)", words, &index)
    }
  }

  /// `-e`, `-n 5`, `-n5`, and flags run together: `-en5`
  private mutating func takeShort(
    _ word: String, _ words: [String], _ index: inout Int, _ command: Command
  ) throws(UsageError) {
    var rest = word.dropFirst()
    while let letter = rest.popFirst() {
      let name = String(letter)
      guard let option = Self.option(name, command) else { throw UsageError("unknown option -\(name)") }
      if option.value == nil {
        try set(option, "", as: "-\(name)")
      } else if rest.isEmpty {
        try takeValue(of: option, as: "-\(name)", words, &index)
      } else {
        try set(option, String(rest), as: "-\(name)")
        return
      }
    }
  }

  private mutating func takeValue(
    of option: Option, as shown: String, _ words: [String], _ index: inout Int
  ) throws(UsageError) {
    guard index < words.count else { throw UsageError("\(shown) needs a value: \(shown) \(option.value ?? "")") }
    try set(option, words[index], as: shown)
    index += 1
    guard option.takesPairs else { return }
    while index < words.count, !words[index].hasPrefix("-"), words[index].contains("=") {
      try set(option, words[index], as: shown)
      index += 1
    }
  }

  private mutating func set(_ option: Option, _ value: String, as shown: String) throws(UsageError) {
    let name = option.names[0]
    if values[name] != nil, !option.repeats { throw UsageError("\(shown) is given twice") }
    values[name, default: []].append(value)
  }

  private func checkParameters(_ command: Command) throws(UsageError) {
    for (position, parameter) in command.parameters.enumerated()
    where position >= parameters.count && !parameter.isOptional {
      throw UsageError("\(parameter.name) is missing")
    }
    let mayRepeat = command.parameters.last?.repeats ?? false
    if !mayRepeat, parameters.count > command.parameters.count {
      throw UsageError("unexpected word '\(parameters[command.parameters.count])'")
    }
  }

  private static func option(_ name: String, _ command: Command) -> Option? {
    command.options.first { $0.names.contains(name) }
  }

  private static func isDefined(_ name: String, _ command: Command) -> Bool { option(name, command) != nil }

  private static func suggestion(for name: String, _ command: Command) -> String {
    let known = command.options.flatMap(\.names).filter { $0.count > 1 }
    guard let near = nearest(to: name, among: known) else { return "" }
    return "; did you mean --\(near)?"
  }
}

extension Arguments {
  func has(_ name: String) -> Bool { values[name] != nil }
  func text(_ name: String) -> String? { values[name]?.last }
  func texts(_ name: String) -> [String] { values[name] ?? [] }

  /// The whole number given for an option; nil when it was not given.
  func integer(_ name: String, in range: ClosedRange<Int64>) throws(UsageError) -> Int64? {
    guard let text = text(name) else { return nil }
    guard let number = Int64(text), range.contains(number) else {
      let bounds =
        range.upperBound == .max ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
      throw UsageError("\(Option.dashed(name)) takes a whole number \(bounds), not '\(text)'")
    }
    return number
  }

  /// One of `choices`; nil when the option was not given.
  func choice(_ name: String, among choices: [String]) throws(UsageError) -> String? {
    guard let text = text(name) else { return nil }
    guard choices.contains(text) else {
      throw UsageError("\(Option.dashed(name)) takes \(choices.joined(separator: ", ")), not '\(text)'")
    }
    return text
  }

  /// The `NAME=VALUE` pairs given for an option, in order.
  func pairs(_ name: String) throws(UsageError) -> [(name: String, value: String)] {
    var pairs: [(name: String, value: String)] = []
    for text in texts(name) { pairs.append(try Self.pair(text, for: Option.dashed(name))) }
    return pairs
  }

  static func pair(_ text: String, for shown: String) throws(UsageError) -> (name: String, value: String) {
    guard let equals = text.firstIndex(of: "="), equals != text.startIndex else {
      throw UsageError("\(shown) takes NAME=VALUE, not '\(text)'")
    }
    return (String(text[..<equals]), String(text[text.index(after: equals)...]))
  }
}
