/// Where messages wait for their publisher. `SQLOutboxStore` keeps them in PostgreSQL or SQLite; another database needs this much.
///
/// A row can become: unsent (added), claimed for a time, unsent again (failed, or its lease ended), sent, refused; sent rows are
/// removed. Times are the store's own clock, so that publishers on several machines agree.
///
/// ```swift
/// let store: some OutboxStore = SQLOutboxStore(.sqlite(SQLiteOptions(path: "shop.db")))
/// ```
public protocol OutboxStore: Sendable {
  /// The caller's own transaction, in which a message is added.
  associatedtype Transaction: Sendable

  /// Makes what the store needs where it is not there; safe to call by several at once.
  ///
  /// - Throws: what the database refuses.
  func prepare() async throws

  /// Adds a message in a transaction. False where its id is there already, and nothing was added.
  ///
  /// - Throws: what the database refuses; the transaction is to be rolled back then.
  func add(_ message: OutboxMessage, in transaction: Transaction) async throws -> Bool

  /// Takes slots that nobody holds and that have rows to publish now, for `lease`, and returns their first rows.
  ///
  /// A row is to be published now when it is unsent, its delay is over, and no row of its lane before it waits for its own.
  ///
  /// - Throws: what the database refuses; nothing is claimed then, or it is free when the lease has ended.
  func claim(rowsMax: Int, lease: Duration) async throws -> OutboxClaim

  /// Holds the slots of a claim for `lease` from now on. False when one of them is somebody else's now.
  ///
  /// - Throws: what the database refuses; the lease is what it was.
  func renew(_ claim: OutboxClaim, lease: Duration) async throws -> Bool

  /// Writes down what came of the rows, and lets go of those slots that are still the claim's. May be called again after an error.
  ///
  /// - Throws: what the database refuses: then it is not known what was written down.
  func settle(_ claim: OutboxClaim, _ outcomes: [OutboxOutcome]) async throws

  /// Removes rows that were sent longer than `age` ago, at most `rowsMax`; returns how many.
  ///
  /// - Throws: what the database refuses.
  func removeSent(olderThan age: Duration, rowsMax: Int) async throws -> Int
}

/// Rows that one publisher has for a time.
public struct OutboxClaim: Sendable, Hashable {
  /// Unique among all claims.
  public let token: String
  /// In the order of their positions.
  public let rows: [OutboxRow]
  /// Whether there is more to be had at once.
  public let isMoreLikely: Bool

  /// A claim as a store has made it.
  public init(token: String, rows: [OutboxRow], isMoreLikely: Bool) {
    self.token = token
    self.rows = rows
    self.isMoreLikely = isMoreLikely
  }
}

/// What came of publishing a row.
public struct OutboxOutcome: Sendable, Hashable {
  /// What came of it.
  public enum Result: Sendable, Hashable {
    /// The broker has acknowledged it.
    case sent
    /// To be tried again after `delay`.
    case failed(reason: String, delay: Duration)
    /// Not to be tried again by itself: it is set aside.
    case refused(reason: String)
  }

  /// The row's position.
  public let position: Int64
  /// What came of it.
  public let result: Result

  /// What came of the row at `position`.
  public init(position: Int64, result: Result) {
    self.position = position
    self.result = result
  }
}
