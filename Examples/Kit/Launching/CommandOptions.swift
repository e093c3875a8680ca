/// The values of a program's options.
package struct CommandOptions: Equatable, Sendable {
  private let values: [String: String]

  init(values: [String: String]) { self.values = values }

  /// The text that was given, or the default.
  package subscript(_ name: String) -> String {
    guard let value = values[name] else { preconditionFailure("no option --\(name) was declared") }
    return value
  }

  /// What a flag has where it was given.
  static let flagValue = "yes"

  /// Whether a flag was given.
  package func isSet(_ flag: String) -> Bool { self[flag] == Self.flagValue }

  /// The number that was given.
  ///
  /// - Throws: a sentence where it is none, or not in `range`.
  package func number<Number: FixedWidthInteger>(
    _ name: String, in range: ClosedRange<Number>
  ) throws(CommandError) -> Number {
    let text = self[name]
    guard let number = Number(text), range.contains(number) else {
      throw CommandError(
        "--\(name) must be a number from \(range.lowerBound) to \(range.upperBound); it is \"\(text)\"")
    }
    return number
  }
}
