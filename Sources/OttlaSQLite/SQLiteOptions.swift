public import OttlaSQL

/// Where a SQLite database is, and the limits.
///
/// ```swift
/// var options = SQLiteOptions(path: "/var/lib/shop/shop.db")
/// options.busyMsMax = 5000
/// let database = SQLDatabase.sqlite(options)
/// ```
///
/// For what can be made anew, and is read more than it is written:
///
/// ```swift
/// var options = SQLiteOptions(path: "/var/cache/shop/search.db")
/// options.synchronous = .normal    // the last changes before a power cut may be lost; they come again
/// options.connectionsMax = 4       // so many statements read at a time; writing is for one
/// let cache = SQLDatabase.sqlite(options)
/// ```
public struct SQLiteOptions: Sendable, Hashable {
  /// When a transaction counts as kept.
  ///
  /// ```swift
  /// // Orders are promised to customers. A cache may lose its last seconds, and does not wait for the disk.
  /// let synchronous: SQLiteOptions.Synchronous = isCache ? .normal : .full
  /// ```
  public enum Synchronous: String, Sendable, Hashable {
    /// When it is on the disk.
    case full = "FULL"
    /// When it is in the file: the last ones may be lost when the power fails, the database stays whole.
    case normal = "NORMAL"
  }

  /// A path; the file is made where there is none. `:memory:` is a database that nobody else sees.
  public var path: String
  /// How many connections there may be, each with a thread. One is right for most: SQLite lets one write at a time anyway.
  public var connectionsMax = 1
  /// How long another process or connection that holds the lock is waited for, in milliseconds.
  public var busyMsMax = 30_000
  /// When a transaction counts as kept.
  public var synchronous = Synchronous.full

  /// The database in the file at `path`, with the default limits. Nothing is opened yet.
  public init(path: String) { self.path = path }
}

extension SQLDatabase {
  /// A SQLite database in a file, with a write-ahead log and foreign keys on. Opened when it is first used.
  ///
  /// ```swift
  /// let database = SQLDatabase.sqlite(SQLiteOptions(path: "shop.db"))
  /// try await database.run("CREATE TABLE IF NOT EXISTS items (name TEXT PRIMARY KEY, price INTEGER NOT NULL)")
  /// ```
  public static func sqlite(_ options: SQLiteOptions) -> SQLDatabase {
    // Each connection to ":memory:" would have a database of its own.
    let connectionsMax = options.path == ":memory:" ? 1 : options.connectionsMax
    return SQLDatabase(dialect: .sqlite, connectionsMax: connectionsMax) { () throws(SQLError) in
      try SQLiteSession(options)
    }
  }
}
