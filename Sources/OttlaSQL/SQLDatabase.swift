internal import Synchronization

/// A database: connections that are opened when they are needed and lent to one transaction at a time.
///
/// ```swift
/// let database = SQLDatabase.postgreSQL(PostgreSQLOptions(host: "db.example", database: "shop", user: "shop"))
/// try await database.transaction { transaction in
///   try await transaction.run("UPDATE stock SET count = count - 1 WHERE item = \(item)")
///   try await transaction.run("INSERT INTO orders (item) VALUES (\(item))")
/// }
/// await database.close()
/// ```
///
/// Nothing is connected before the first use, and a server that went away is connected anew by the next use: a database
/// that was unreachable needs no care but trying again (`SQLError.isRetriable`). Statements run on the threads of the
/// connections; a task that is cancelled while one runs waits for it, so set a time limit in the options.
public final class SQLDatabase: Sendable {
  /// What kind of database it is.
  ///
  /// ```swift
  /// // PostgreSQL keeps its own figures of a table; SQLite has none before it is asked to make them.
  /// if database.dialect == .sqlite { try await database.run("ANALYZE") }
  /// ```
  public let dialect: SQLDialect
  private let lending: Lending

  /// A transaction this task is in: a database used beside it would wait for a connection that it may hold itself.
  private final class Frame: Sendable {
    let database: ObjectIdentifier
    let outer: Frame?
    let isOver = Atomic(false)
    init(database: ObjectIdentifier, outer: Frame?) {
      self.database = database
      self.outer = outer
    }
  }
  @TaskLocal private static var frame: Frame?

  package init(
    dialect: SQLDialect, connectionsMax: Int, open: @escaping @Sendable () throws(SQLError) -> any SQLSession
  ) {
    self.dialect = dialect
    lending = Lending(connectionsMax: connectionsMax) { Connection(dialect: dialect, open: open) }
  }

  /// Runs one statement by itself.
  ///
  /// ```swift
  /// let items = try await database.run("SELECT name FROM items WHERE price < \(limit)").rows
  /// ```
  ///
  /// - Throws: `SQLError`: what the database refuses; after `.connectionLost` the statement may have happened.
  @discardableResult
  public func run(_ statement: SQLStatement) async throws(SQLError) -> SQLResult {
    try refuseInsideOwnTransaction()
    let connection = try await lending.borrow()
    defer { lending.giveBack(connection) }
    return try await connection.run(statement)
  }

  /// Runs `body` in a transaction: committed when it returns, rolled back when it throws.
  ///
  /// ```swift
  /// let left: Int = try await database.transaction { transaction in
  ///   try await transaction.run("UPDATE stock SET count = count - 1 WHERE item = \(item)")
  ///   return try await transaction.run("SELECT count FROM stock WHERE item = \(item)").rows[0].value("count")
  /// }
  /// ```
  ///
  /// - Throws: what `body` throws; or a `SQLError` of beginning and committing, of which `.commitUnknown` leaves open whether
  ///   the transaction happened.
  @discardableResult
  public func transaction<Value: Sendable>(
    isolation: isolated (any Actor)? = #isolation, _ body: (SQLTransaction) async throws -> Value
  ) async throws -> Value {
    try refuseInsideOwnTransaction()
    let connection = try await lending.borrow()
    defer { lending.giveBack(connection) }
    let number = try await connection.begin()
    let frame = Frame(database: ObjectIdentifier(self), outer: Self.frame)
    defer { frame.isOver.store(true, ordering: .relaxed) }
    let value: Value
    do {
      value = try await Self.$frame.withValue(frame) {
        try await body(SQLTransaction(connection: connection, number: number, dialect: dialect))
      }
    } catch {
      await connection.rollBack(number)
      throw error
    }
    try await connection.commit(number)
    return value
  }

  /// Waits for the transactions that are open and closes all connections. Whoever wants one after that gets `.misuse`.
  public func close() async {
    for connection in await lending.close() { await connection.close() }
  }

  private func refuseInsideOwnTransaction() throws(SQLError) {
    var frame = Self.frame
    while let open = frame {
      if open.database == ObjectIdentifier(self), !open.isOver.load(ordering: .relaxed) {
        throw SQLError(
          .misuse, "the database is used inside a transaction of its own",
          advice: "run the statement on the transaction that the closure was given")
      }
      frame = open.outer
    }
  }
}
