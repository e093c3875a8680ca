public import OttlaSQL

/// The consumer's side: lets the effect of a message happen once, however often the message comes.
///
/// ```swift
/// let inbox = Inbox(database, consumer: "statistics")
/// try await inbox.prepare()
/// try await database.transaction { transaction in
///   try await inbox.once(id, in: transaction) {
///     try await transaction.run("UPDATE statistics SET count = count + 1")
///   }
/// }
/// // now commit the record's offset: a crash in between brings the record again, and `once` returns false
/// ```
///
/// The effect is what is written in the same transaction. What leaves the database (an e-mail) needs an outbox of its own.
public struct Inbox: Sendable {
  private let database: SQLDatabase
  private let consumer: String
  private let table: String

  /// An inbox of one consumer.
  ///
  /// - Parameters:
  ///   - consumer: who has seen a message: consumers of one database do not see each other's ids.
  ///   - table: the name of the table.
  public init(_ database: SQLDatabase, consumer: String, table: String = "ottla_inbox") {
    self.database = database
    self.consumer = consumer
    self.table = table
  }

  /// Makes the table where it is not there.
  ///
  /// ```swift
  /// let inbox = Inbox(database, consumer: "statistics")
  /// try await inbox.prepare()
  /// ```
  ///
  /// - Throws: `SQLError`, as where the user may not create tables.
  public func prepare() async throws {
    try await database.transaction { transaction in
      if transaction.dialect == .postgreSQL {
        try await transaction.run("SELECT pg_advisory_xact_lock(\(Int64(0x6f74_746c_61)))")
      }
      try await transaction.run(
        """
        CREATE TABLE IF NOT EXISTS \(name: table) (
          consumer TEXT NOT NULL, id TEXT NOT NULL, seen_ms BIGINT NOT NULL, PRIMARY KEY (consumer, id))
        """)
      try await transaction.run(
        "CREATE INDEX IF NOT EXISTS \(name: table + "_seen") ON \(name: table) (seen_ms)")
    }
  }

  /// Runs `effect` where this consumer has not seen the id, and remembers the id in the same transaction: both are kept, or neither.
  ///
  /// Where another transaction has the same id and is open, this one waits for it in PostgreSQL.
  ///
  /// ```swift
  /// let isNew = try await inbox.once(id, in: transaction) {
  ///   try await transaction.run("UPDATE statistics SET count = count + 1")
  /// }
  /// ```
  ///
  /// - Returns: false for a repeat: `effect` was not run.
  /// - Throws: what `effect` throws, after what it did in the transaction was undone; or a `SQLError`.
  @discardableResult
  public func once(
    _ id: String, in transaction: SQLTransaction, isolation: isolated (any Actor)? = #isolation,
    _ effect: () async throws -> Void
  ) async throws -> Bool {
    let inserted = try await transaction.run(
      """
      INSERT INTO \(name: table) (consumer, id, seen_ms) VALUES (\(consumer), \(id), \(trusted: transaction.dialect.nowMs))
      ON CONFLICT (consumer, id) DO NOTHING
      """)
    guard inserted.affectedCount == 1 else { return false }
    // A caller who catches the effect's error and commits must not keep the id without the effect, nor half an effect.
    try await transaction.run("SAVEPOINT ottla_inbox_effect")
    do {
      try await effect()
    } catch {
      try await transaction.run("ROLLBACK TO SAVEPOINT ottla_inbox_effect")
      try await transaction.run("RELEASE SAVEPOINT ottla_inbox_effect")
      try await transaction.run("DELETE FROM \(name: table) WHERE consumer = \(consumer) AND id = \(id)")
      throw error
    }
    try await transaction.run("RELEASE SAVEPOINT ottla_inbox_effect")
    return true
  }

  /// Forgets ids that were seen longer than `age` ago, at most `rowsMax`; returns how many. A message that comes again after that has
  /// its effect again: keep ids for longer than the topic keeps its records.
  ///
  /// ```swift
  /// try await inbox.forget(olderThan: .seconds(14 * 86_400))
  /// ```
  ///
  /// - Throws: `SQLError`.
  @discardableResult
  public func forget(olderThan age: Duration, rowsMax: Int = 1000) async throws -> Int {
    try await database.run(
      """
      DELETE FROM \(name: table) WHERE (consumer, id) IN (
        SELECT consumer, id FROM \(name: table)
        WHERE consumer = \(consumer) AND seen_ms <= \(trusted: database.dialect.nowMs) - \(age.wholeMs)
        ORDER BY seen_ms LIMIT \(rowsMax))
      """
    ).affectedCount
  }
}
