/// The transactional outbox: messages are added in the transaction that makes them true, and an `OutboxPublisher` hands them
/// to the broker after that. So there is no message without its change, and no change without its message.
///
/// ```swift
/// let outbox = Outbox(SQLOutboxStore(database))
/// try await outbox.prepare()
/// try await database.transaction { transaction in
///   try await transaction.run("INSERT INTO accounts (name) VALUES (\(name))")
///   try await outbox.add(OutboxMessage(topic: "accounts", key: name, text: "created"), in: transaction)
/// }
/// ```
///
/// The order of messages with the same key is that of their `add`; where two transactions overlap, add after the statement that
/// makes one wait for the other (the update of the row that the key stands for).
public struct Outbox<Store: OutboxStore>: Sendable {
  /// Where the messages wait.
  ///
  /// ```swift
  /// // For a health check: a publisher that stands still shows here first.
  /// let (unsent, refused) = try await outbox.store.counts()
  /// if unsent > 10_000 || refused > 0 { print("the outbox: \(unsent) wait, \(refused) were set aside") }
  /// ```
  public let store: Store

  /// An outbox in `store`. Nothing is connected yet.
  public init(_ store: Store) { self.store = store }

  /// Makes the tables where they are not there.
  ///
  /// ```swift
  /// try await outbox.prepare()   // when the program starts
  /// ```
  ///
  /// - Throws: what the store throws.
  public func prepare() async throws { try await store.prepare() }

  /// Adds a message in the caller's transaction; it is published if and when that is committed.
  ///
  /// ```swift
  /// try await database.transaction { transaction in
  ///   try await transaction.run("UPDATE orders SET state = 'shipped' WHERE id = \(id)")
  ///   try await outbox.add(
  ///     OutboxMessage(id: "order-\(id)-shipped", topic: "orders", key: "\(id)", text: "shipped"), in: transaction)
  /// }
  /// ```
  ///
  /// - Returns: false when a message with this id is there already: unsent, or sent and not yet removed.
  /// - Throws: `OutboxMessageError`, or what the store throws.
  @discardableResult
  public func add(_ message: OutboxMessage, in transaction: Store.Transaction) async throws -> Bool {
    try message.validate()
    return try await store.add(message, in: transaction)
  }
}
