/// Where messages wait for their publisher. `SQLOutboxStore` keeps them in PostgreSQL or SQLite; another database needs this much.
///
/// A row can become: unsent (added), claimed for a time, unsent again (failed, or its lease ended), sent, refused; sent rows are
/// removed. Times are the store's own clock, so that publishers on several machines agree.
///
/// ```swift
/// let store: some OutboxStore = SQLOutboxStore(.sqlite(SQLiteOptions(path: "shop.db")))
/// ```
///
/// What a publisher does with it, in short:
///
/// ```swift
/// let claim = try await store.claim(rowsMax: 100, lease: .seconds(15))
/// var outcomes: [OutboxOutcome] = []
/// for row in claim.rows {
///   // Another publisher may have the slots when this took too long: then what is left is its business.
///   guard try await store.renew(claim, lease: .seconds(15)) else { break }
///   try await send(row.message)
///   outcomes.append(OutboxOutcome(position: row.position, result: .sent))
/// }
/// try await store.settle(claim, outcomes)
/// let removedCount = try await store.removeSent(olderThan: .seconds(60), rowsMax: 1000)
/// ```
///
/// The least that an `Outbox` needs in a test without a database, which looks at what was added:
///
/// ```swift
/// actor AddedMessages: OutboxStore {
///   struct Transaction {}
///   private(set) var messages: [OutboxMessage] = []
///
///   func prepare() {}
///   func add(_ message: OutboxMessage, in transaction: Transaction) -> Bool {
///     guard !messages.contains(where: { $0.id == message.id }) else { return false }
///     messages.append(message)
///     return true
///   }
///   // No publisher works on it.
///   func claim(rowsMax: Int, lease: Duration) -> OutboxClaim { OutboxClaim(token: "", rows: [], isMoreLikely: false) }
///   func renew(_ claim: OutboxClaim, lease: Duration) -> Bool { true }
///   func settle(_ claim: OutboxClaim, _ outcomes: [OutboxOutcome]) {}
///   func removeSent(olderThan age: Duration, rowsMax: Int) -> Int { 0 }
/// }
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
///
/// ```swift
/// // In a store of your own: the slots bear the token, by which `renew` and `settle` find them again.
/// let token = OutboxMessage.randomID()
/// try await shelf.takeSlots(4, for: .seconds(15), as: token)
/// let rows = try await shelf.rows(ofSlotsWith: token, max: 100)
/// // With as many rows as were asked for, the publisher looks again at once.
/// let claim = OutboxClaim(token: token, rows: rows, isMoreLikely: rows.count == 100)
/// ```
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
///
/// A store's `settle` writes it down:
///
/// ```swift
/// for outcome in outcomes {
///   switch outcome.result {
///   case .sent:
///     // It stays for a while: so long its id cannot be added again.
///     try await shelf.markSent(outcome.position)
///   case .failed(let reason, let delay):
///     try await shelf.putOff(outcome.position, by: delay, because: reason)
///   case .refused(let reason):
///     // For somebody to look at; what has its key goes on.
///     try await shelf.setAside(outcome.position, because: reason)
///   }
/// }
/// ```
public struct OutboxOutcome: Sendable, Hashable {
  /// What came of it.
  ///
  /// ```swift
  /// func result(of message: OutboxMessage) async -> OutboxOutcome.Result {
  ///   do {
  ///     try await send(message)
  ///     return .sent
  ///   } catch let refusal as OutboxRefusal {
  ///     return .refused(reason: refusal.reason)
  ///   } catch {
  ///     return .failed(reason: "\(error)", delay: .seconds(1))
  ///   }
  /// }
  /// let outcome = OutboxOutcome(position: row.position, result: await result(of: row.message))
  /// ```
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
  ///
  /// ```swift
  /// let outcomes = claim.rows.map { OutboxOutcome(position: $0.position, result: .sent) }
  /// ```
  public init(position: Int64, result: Result) {
    self.position = position
    self.result = result
  }
}
