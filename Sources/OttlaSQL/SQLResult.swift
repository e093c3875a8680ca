/// What a statement came to.
///
/// ```swift
/// let result = try await database.run("DELETE FROM orders WHERE state = 'paid' RETURNING id")
/// print("\(result.affectedCount) orders are gone, the first of them \(result.rows.first?.values.first ?? .null)")
/// ```
public struct SQLResult: Sendable, Hashable {
  /// The rows, all of them: a statement that may find many needs a LIMIT.
  public let rows: [SQLRow]
  /// How many rows it inserted, updated or deleted.
  public let affectedCount: Int

  package init(rows: [SQLRow] = [], affectedCount: Int = 0) {
    self.rows = rows
    self.affectedCount = affectedCount
  }
}

/// A row.
///
/// ```swift
/// let name: String = try row.value("name")
/// let email: String? = try row.value("email")
/// ```
///
/// Where the columns are not known, as in a tool that shows any table:
///
/// ```swift
/// for row in try await database.run("SELECT * FROM \(name: table) LIMIT 20").rows {
///   print(zip(row.columns, row.values).map { "\($0): \($1)" }.joined(separator: ", "))
/// }
/// ```
public struct SQLRow: Sendable, Hashable {
  /// The names of the columns, shared by the rows of a result.
  public let columns: [String]
  /// A value for each of `columns`, in their order.
  public let values: [SQLValue]

  package init(columns: [String], values: [SQLValue]) {
    precondition(columns.count == values.count, "\(columns.count) columns and \(values.count) values")
    self.columns = columns
    self.values = values
  }

  /// The value of a column, as the type that is asked for.
  ///
  /// - Throws: `.value` where there is no such column, or its value is not of that type; only an optional can be null.
  public func value<Value: SQLConvertible>(_ column: String, as type: Value.Type = Value.self) throws(SQLError) -> Value
  {
    guard let index = columns.firstIndex(of: column) else {
      throw SQLError(
        .value, "there is no column \(column)", advice: "the columns are \(columns.joined(separator: ", "))")
    }
    guard let value = Value(sqlValue: values[index]) else {
      throw SQLError(
        .value, "column \(column) holds \(values[index]), which is no \(type)",
        advice: "ask for another type, or for an optional where the column may be null")
    }
    return value
  }
}
