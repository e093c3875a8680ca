public import OttlaSQL

/// An outbox in PostgreSQL or SQLite: two tables, `<name>` for the messages and `<name>_slot` for who publishes what.
///
/// ```swift
/// let store = SQLOutboxStore(SQLDatabase.postgreSQL(PostgreSQLOptions(database: "shop", user: "shop")))
/// let outbox = Outbox(store)
/// ```
public struct SQLOutboxStore: OutboxStore {
  let database: SQLDatabase
  let table: String
  var slotTable: String { table + "_slot" }

  /// An outbox in two tables of `database`. Nothing is connected yet.
  ///
  /// - Parameter table: the name of the table; another for each outbox of a database.
  public init(_ database: SQLDatabase, table: String = "ottla_outbox") {
    self.database = database
    self.table = table
  }

  /// Makes the two tables and their indexes where they are not there.
  ///
  /// - Throws: `SQLError`, as where the user may not create tables.
  public func prepare() async throws {
    try await database.transaction { transaction in
      // Two who make the same table at once would trip over each other in PostgreSQL's catalogue.
      if transaction.dialect == .postgreSQL {
        try await transaction.run("SELECT pg_advisory_xact_lock(\(Int64(0x6f74_746c_61)))")
      }
      for statement in schema(transaction.dialect) { try await transaction.run(statement) }
      for slot in 0..<OutboxLane.slotCount {
        try await transaction.run(
          """
          INSERT INTO \(name: slotTable) (slot, owner, lease_end_ms) VALUES (\(slot), '', 0)
          ON CONFLICT (slot) DO NOTHING
          """)
      }
    }
  }

  /// States of a row: 0 unsent, 1 sent, 2 refused.
  private func schema(_ dialect: SQLDialect) -> [SQLStatement] {
    let messages: SQLStatement =
      switch dialect {
      case .postgreSQL:
        """
        CREATE TABLE IF NOT EXISTS \(name: table) (
          position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
          id TEXT NOT NULL UNIQUE, slot INTEGER NOT NULL, lane BIGINT, topic TEXT NOT NULL,
          message_key BYTEA, message_value BYTEA, headers BYTEA NOT NULL,
          state INTEGER NOT NULL DEFAULT 0, failure_count INTEGER NOT NULL DEFAULT 0,
          not_before_ms BIGINT NOT NULL DEFAULT 0, done_ms BIGINT, reason TEXT)
        """
      case .sqlite:
        """
        CREATE TABLE IF NOT EXISTS \(name: table) (
          position INTEGER PRIMARY KEY AUTOINCREMENT,
          id TEXT NOT NULL UNIQUE, slot INTEGER NOT NULL, lane INTEGER, topic TEXT NOT NULL,
          message_key BLOB, message_value BLOB, headers BLOB NOT NULL,
          state INTEGER NOT NULL DEFAULT 0, failure_count INTEGER NOT NULL DEFAULT 0,
          not_before_ms INTEGER NOT NULL DEFAULT 0, done_ms INTEGER, reason TEXT)
        """
      }
    return [
      messages,
      """
      CREATE TABLE IF NOT EXISTS \(name: slotTable) (
        slot INTEGER PRIMARY KEY, owner TEXT NOT NULL, lease_end_ms BIGINT NOT NULL)
      """,
      """
      CREATE INDEX IF NOT EXISTS \(name: table + "_unsent") ON \(name: table) (slot, position) WHERE state = 0
      """,
      // Only the rows that have failed: the few that may hold back their lanes.
      """
      CREATE INDEX IF NOT EXISTS \(name: table + "_failed") ON \(name: table) (lane, position)
      WHERE state = 0 AND failure_count > 0
      """,
      """
      CREATE INDEX IF NOT EXISTS \(name: table + "_sent") ON \(name: table) (done_ms) WHERE state = 1
      """,
    ]
  }

  /// Adds a message in a transaction of the same database. False where its id is there already.
  ///
  /// - Throws: `SQLError`.
  public func add(_ message: OutboxMessage, in transaction: SQLTransaction) async throws -> Bool {
    let lane = OutboxLane(of: message)
    let headers = HeaderCoding.encode(message.headers)
    let added = try await transaction.run(
      """
      INSERT INTO \(name: table) (id, slot, lane, topic, message_key, message_value, headers)
      VALUES (\(message.id), \(lane.slot), \(lane.lane), \(message.topic), \(message.key), \(message.value), \(headers))
      ON CONFLICT (id) DO NOTHING
      """)
    return added.affectedCount == 1
  }

  /// Removes rows that were sent longer than `age` ago, at most `rowsMax`; returns how many.
  ///
  /// - Throws: `SQLError`.
  public func removeSent(olderThan age: Duration, rowsMax: Int) async throws -> Int {
    let now = database.dialect.nowMs
    return try await database.run(
      """
      DELETE FROM \(name: table) WHERE position IN (
        SELECT position FROM \(name: table) WHERE state = 1 AND done_ms <= \(trusted: now) - \(age.wholeMs)
        ORDER BY done_ms LIMIT \(rowsMax))
      """
    ).affectedCount
  }

  /// How many messages are unsent, and how many were set aside: for health checks and figures.
  ///
  /// ```swift
  /// let (unsent, refused) = try await store.counts()
  /// ```
  ///
  /// - Throws: `SQLError`.
  public func counts() async throws -> (unsent: Int, refused: Int) {
    let rows = try await database.run(
      """
      SELECT CAST(count(CASE WHEN state = 0 THEN 1 END) AS BIGINT) AS unsent,
        CAST(count(CASE WHEN state = 2 THEN 1 END) AS BIGINT) AS refused
      FROM \(name: table) WHERE state <> 1
      """
    ).rows
    return (try rows[0].value("unsent"), try rows[0].value("refused"))
  }

  /// Messages that were set aside, the oldest first, and why.
  ///
  /// ```swift
  /// for (message, reason) in try await store.refused(rowsMax: 20) {
  ///   print("\(message.id) for \(message.topic), \(message.value?.count ?? 0) bytes: \(reason)")
  /// }
  /// ```
  ///
  /// - Throws: `SQLError`.
  public func refused(rowsMax: Int = 100) async throws -> [(message: OutboxMessage, reason: String)] {
    let rows = try await database.run(
      "SELECT * FROM \(name: table) WHERE state = 2 ORDER BY position LIMIT \(rowsMax)"
    ).rows
    return try rows.map { (try Self.row($0).message, try $0.value("reason")) }
  }

  /// Lets a message that was set aside be published after all. False where there is none with this id.
  ///
  /// ```swift
  /// // after the topic's max.message.bytes was raised
  /// for (message, _) in try await store.refused() where message.topic == "orders" {
  ///   _ = try await store.retryRefused(id: message.id)
  /// }
  /// ```
  ///
  /// - Throws: `SQLError`.
  public func retryRefused(id: String) async throws -> Bool {
    try await database.run(
      "UPDATE \(name: table) SET state = 0, not_before_ms = 0, reason = NULL WHERE id = \(id) AND state = 2"
    ).affectedCount == 1
  }
}

extension SQLDialect {
  /// The database's own clock, in milliseconds since 1970: in PostgreSQL not that of the transaction's beginning.
  var nowMs: StaticString {
    switch self {
    case .postgreSQL: "CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS BIGINT)"
    case .sqlite: "CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)"
    }
  }

  /// Leaves out what another transaction is taking at the moment; in SQLite there is none.
  var skipLocked: StaticString {
    switch self {
    case .postgreSQL: "FOR UPDATE SKIP LOCKED"
    case .sqlite: ""
    }
  }
}

extension Duration {
  /// Whole milliseconds, none below 0.
  var wholeMs: Int64 {
    let parts = components
    return max(0, parts.seconds &* 1000 &+ parts.attoseconds / 1_000_000_000_000_000)
  }
}
