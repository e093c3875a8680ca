internal import Threads

/// A connection with a thread of its own: opened when it is first needed, and again when the server went away.
///
/// Can become: idle or in a transaction; its session comes and goes with the server.
actor Connection {
  private let thread: BlockingThread
  private let dialect: SQLDialect
  private let open: @Sendable () throws(SQLError) -> any SQLSession
  private var session: (any SQLSession)?
  /// The transaction that is open, counted from 1.
  private var transaction: Int?
  private var transactionCount = 0

  nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  init(dialect: SQLDialect, open: @escaping @Sendable () throws(SQLError) -> any SQLSession) {
    thread = BlockingThread(name: "sql")
    self.dialect = dialect
    self.open = open
  }

  deinit { thread.stop() }

  /// Lets go of the server or file; the next use opens it again.
  func close() { session = nil }

  /// A statement outside of a transaction.
  func run(_ statement: SQLStatement) throws(SQLError) -> SQLResult {
    precondition(transaction == nil, "a statement without a transaction while transaction \(transaction ?? 0) is open")
    return try perform(statement, with: usableSession())
  }

  /// A statement of the transaction `number`.
  func run(_ statement: SQLStatement, in number: Int) throws(SQLError) -> SQLResult {
    guard transaction == number, let session else { throw Self.isOver }
    return try perform(statement, with: session)
  }

  func begin() throws(SQLError) -> Int {
    precondition(transaction == nil, "a transaction while transaction \(transaction ?? 0) is open")
    do {
      _ = try perform(dialect.begin, with: usableSession())
    } catch  where error.kind == .connectionLost {
      // Nothing was begun, so that a new connection may begin it.
      _ = try perform(dialect.begin, with: usableSession())
    }
    transactionCount += 1
    transaction = transactionCount
    return transactionCount
  }

  func commit(_ number: Int) throws(SQLError) {
    guard transaction == number, let session else { throw Self.isOver }
    transaction = nil
    guard !session.isTransactionBroken else {
      undo(in: session)
      throw SQLError(
        .transactionOver, "a statement of this transaction failed, and the database will not commit the rest",
        advice: "let the error of that statement leave the transaction")
    }
    do {
      _ = try perform("COMMIT", with: session)
    } catch {
      switch error.kind {
      case .connectionLost:
        throw SQLError(
          .commitUnknown, error.message, sqlstate: error.sqlstate,
          advice: "look whether the transaction happened before trying it again, or make it so that it may happen twice"
        )
      case .unreachable, .authentication, .commitUnknown, .conflict, .busy, .timeout, .uniqueViolation,
        .constraintViolation, .statement, .value, .resources, .storage, .transactionOver, .misuse, .cancelled, .other:
        // SQLite keeps a transaction open whose COMMIT it refused.
        undo(in: session)
        throw error
      }
    }
  }

  func rollBack(_ number: Int) {
    guard transaction == number else { return }
    transaction = nil
    guard let session else { return }
    undo(in: session)
  }

  /// A session that cannot even undo is given up: the database undoes what a lost connection has begun.
  private func undo(in session: any SQLSession) {
    // SQLite has undone some transactions by itself, and refuses to do it again.
    guard session.isTransactionOpen else { return }
    do { _ = try session.run("ROLLBACK") } catch { self.session = nil }
  }

  private func perform(_ statement: SQLStatement, with session: any SQLSession) throws(SQLError) -> SQLResult {
    do {
      return try session.run(statement)
    } catch {
      if !session.isUsable { self.session = nil }
      throw error
    }
  }

  private func usableSession() throws(SQLError) -> any SQLSession {
    if let session, session.isUsable { return session }
    session = nil
    let opened = try open()
    session = opened
    return opened
  }

  private static let isOver = SQLError(
    .transactionOver, "the transaction is over", advice: "use a transaction only inside the closure it was given to")
}
