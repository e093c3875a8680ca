/// A transaction that is open, inside the closure of `SQLDatabase.transaction`. Used after that it throws `.transactionOver`.
///
/// ```swift
/// try await database.transaction { transaction in
///   try await transaction.run("UPDATE accounts SET balance = balance - \(amount) WHERE id = \(from)")
///   try await transaction.run("UPDATE accounts SET balance = balance + \(amount) WHERE id = \(to)")
/// }
/// ```
public struct SQLTransaction: Sendable {
  private let connection: Connection
  private let number: Int
  /// What kind of database it is.
  ///
  /// ```swift
  /// // In SQLite no other transaction is open once this one has begun, and there is no FOR UPDATE.
  /// let lock: StaticString = transaction.dialect == .postgreSQL ? "FOR UPDATE" : ""
  /// let rows = try await transaction.run("SELECT count FROM stock WHERE item = \(item) \(trusted: lock)").rows
  /// ```
  public let dialect: SQLDialect

  init(connection: Connection, number: Int, dialect: SQLDialect) {
    self.connection = connection
    self.number = number
    self.dialect = dialect
  }

  /// Runs one statement in the transaction.
  ///
  /// After an error PostgreSQL lets nothing more happen in a transaction; SQLite undoes only the statement.
  ///
  /// ```swift
  /// let updated = try await transaction.run("UPDATE items SET price = \(price) WHERE id = \(id)").affectedCount
  /// ```
  ///
  /// - Throws: `SQLError`: what the database refuses; `.transactionOver` after the closure has ended.
  @discardableResult
  public func run(_ statement: SQLStatement) async throws(SQLError) -> SQLResult {
    try await connection.run(statement, in: number)
  }
}
