/// One statement and its parameters. What is interpolated becomes a parameter and is never a part of the text, so that no
/// value can change what a statement does:
///
/// ```swift
/// let name = "Robert'); DROP TABLE students;--"
/// let statement: SQLStatement = "INSERT INTO students (name) VALUES (\(name))"
/// #expect(statement.text == "INSERT INTO students (name) VALUES ($1)")
/// #expect(statement.parameters == [.text(name)])
/// ```
///
/// `\(name: ...)` is for what cannot be a parameter, the name of a table or column, and quotes it; `\(list: ...)`
/// writes a list of parameters, as `IN` wants it; `\(trusted: ...)` is text that stands in the program.
///
/// ```swift
/// let order: StaticString = isNewestFirst ? "DESC" : "ASC"
/// let statement: SQLStatement = """
///   SELECT id FROM \(name: table) WHERE state IN \(list: ["paid", "shipped"]) ORDER BY id \(trusted: order)
///   """
/// // SELECT id FROM "orders" WHERE state IN ($1, $2) ORDER BY id DESC
/// ```
public struct SQLStatement: Sendable, Hashable, ExpressibleByStringInterpolation {
  /// The statement, with `$1`, `$2` and so on for the parameters.
  public let text: String
  /// The values of the parameters, that of `$1` first.
  public let parameters: [SQLValue]

  /// A statement without parameters.
  public init(stringLiteral text: String) {
    self.text = text
    parameters = []
  }

  /// A statement whose parameters are what was interpolated.
  public init(stringInterpolation: Interpolation) {
    text = stringInterpolation.text
    parameters = stringInterpolation.parameters
  }

  /// A statement whose text does not stand in the program: from a file of the schema, for instance. It is for the caller
  /// to know where the text comes from.
  public init(trusted text: String, parameters: [SQLValue] = []) {
    self.text = text
    self.parameters = parameters
  }

  /// How an interpolated literal becomes a statement.
  ///
  /// What a program writes often can be an interpolation of its own, made of those that are there:
  ///
  /// ```swift
  /// extension SQLStatement.Interpolation {
  ///   /// A page of the result, from 0: `\(page: 2, of: 50)`.
  ///   mutating func appendInterpolation(page number: Int, of rowsMax: Int) {
  ///     appendLiteral("LIMIT ")
  ///     appendInterpolation(rowsMax)
  ///     appendLiteral(" OFFSET ")
  ///     appendInterpolation(number * rowsMax)
  ///   }
  /// }
  /// ```
  public struct Interpolation: StringInterpolationProtocol {
    fileprivate var text = ""
    fileprivate var parameters: [SQLValue] = []

    /// An interpolation that nothing was added to.
    public init(literalCapacity: Int, interpolationCount: Int) {
      text.reserveCapacity(literalCapacity + 3 * interpolationCount)
      parameters.reserveCapacity(interpolationCount)
    }

    /// Text that stands in the program.
    public mutating func appendLiteral(_ literal: String) { text += literal }

    /// A parameter.
    public mutating func appendInterpolation(_ value: some SQLConvertible) {
      parameters.append(value.sqlValue)
      text += "$\(parameters.count)"
    }

    /// A parameter that may be null.
    public mutating func appendInterpolation<Value: SQLConvertible>(_ value: Value?) {
      parameters.append(value.sqlValue)
      text += "$\(parameters.count)"
    }

    /// The name of a table or column, quoted.
    public mutating func appendInterpolation(name: String) {
      text += "\"\(name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\""))\""
    }

    /// Parameters in parentheses. An empty list is one that nothing is in.
    public mutating func appendInterpolation(list values: [some SQLConvertible]) {
      text += "("
      for (index, value) in values.enumerated() {
        if index > 0 { text += ", " }
        appendInterpolation(value)
      }
      text += values.isEmpty ? "NULL)" : ")"
    }

    /// Text that stands in the program.
    public mutating func appendInterpolation(trusted text: StaticString) { self.text += "\(text)" }
  }
}
