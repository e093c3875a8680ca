public import OttlaErrorHandling
public import OttlaOutbox
public import OttlaSQL

/// An outbox as the place where a `StoringProducer` puts what it cannot send: kept there as unsent, and sent by the
/// `OutboxPublisher` of that outbox until the broker acknowledges it.
///
/// ```swift
/// let storing = StoringProducer(producer, fallingBackTo: UndeliveredOutbox(store, in: database))
/// ```
///
/// A record is safe only once the producer has given it up: what a process had in flight when it was killed is lost. Where that must
/// not be, add the message to the outbox first, in the transaction that makes it true.
public struct UndeliveredOutbox: UndeliveredStore {
  private let outbox: Outbox<SQLOutboxStore>
  private let database: SQLDatabase
  /// The first try, and those after a connection that broke or a conflict.
  private static let triesMax = 3

  /// - Parameters:
  ///   - store: the outbox's, in `database`.
  public init(_ store: SQLOutboxStore, in database: SQLDatabase) {
    outbox = Outbox(store)
    self.database = database
  }

  /// Adds the record to the outbox, in a transaction of its own; where it is there already, once is enough.
  ///
  /// - Throws: a `SQLError`, or an `OutboxMessageError` for a record that an outbox does not take.
  public func keep(_ record: UndeliveredRecord) async throws {
    let message = OutboxMessage(record)
    for tryNumber in 1... {
      do {
        try await database.transaction { transaction in _ = try await outbox.add(message, in: transaction) }
        return
      } catch let error as SQLError where error.isRetriable && tryNumber < Self.triesMax {
        // Also where it may have been kept: its id keeps it from being there twice.
        continue
      }
    }
  }
}
