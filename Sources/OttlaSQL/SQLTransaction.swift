/// A transaction that is open, inside the closure of `SQLDatabase.transaction`. Used after that it throws `.transactionOver`.
public struct SQLTransaction: Sendable {
  private let connection: Connection
  private let number: Int
  /// What kind of database it is.
  public let dialect: SQLDialect

  init(connection: Connection, number: Int, dialect: SQLDialect) {
    self.connection = connection
    self.number = number
    self.dialect = dialect
  }

  /// Runs one statement in the transaction.
  ///
  /// After an error PostgreSQL lets nothing more happen in a transaction; SQLite undoes only the statement.
  @discardableResult
  public func run(_ statement: SQLStatement) async throws(SQLError) -> SQLResult {
    try await connection.run(statement, in: number)
  }
}
