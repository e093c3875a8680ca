/// One connection to a database, used by one thread. Its calls block.
///
/// Can become: unusable, when the server went away or `run` met an error after which nothing is known.
package protocol SQLSession: AnyObject {
  /// False when the connection is known to be broken. Asks nobody: what the network has told already is enough.
  var isUsable: Bool { get }
  /// True when a statement has failed in a way that leaves the open transaction nothing but ROLLBACK.
  var isTransactionBroken: Bool { get }
  /// True while a transaction is open, broken or not.
  var isTransactionOpen: Bool { get }
  func run(_ statement: SQLStatement) throws(SQLError) -> SQLResult
}

/// What differs between databases, for those who write statements for all of them.
///
/// ```swift
/// let size: SQLStatement =
///   switch database.dialect {
///   case .postgreSQL: "SELECT pg_database_size(current_database()) AS bytes"
///   case .sqlite: "SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()"
///   }
/// let bytes: Int = try await database.run(size).rows[0].value("bytes")
/// ```
public enum SQLDialect: Sendable, Hashable {
  /// PostgreSQL, through libpq.
  case postgreSQL
  /// SQLite, in a file of its own.
  case sqlite

  /// How a transaction begins. SQLite's takes the right to write at once: a transaction that reads first and wants to write
  /// later would be refused when another has written in between, however long it waited.
  package var begin: SQLStatement {
    switch self {
    case .postgreSQL: "BEGIN"
    case .sqlite: "BEGIN IMMEDIATE"
    }
  }
}
