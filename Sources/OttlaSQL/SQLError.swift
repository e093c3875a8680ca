/// What a database refused, or could not do: what kind of error it is, the database's own code and words, and what to do.
///
/// ```swift
/// do {
///   try await database.run("INSERT INTO accounts (email) VALUES (\(email))")
/// } catch let error as SQLError where error.kind == .uniqueViolation {
///   print("\(email) has an account already")
/// }
/// ```
///
/// What only time heals is worth another try, of the whole transaction:
///
/// ```swift
/// for tryNumber in 1... {
///   do {
///     try await database.transaction { try await book(order, in: $0) }   // by the order's id: twice does no harm
///     break
///   } catch let error as SQLError where error.isRetriable && tryNumber < 5 {
///     print("try \(tryNumber): \(error.message) (\(error.sqlstate)); \(error.advice)")
///     try await Task.sleep(for: .milliseconds(100 * tryNumber))
///   }
/// }
/// ```
public struct SQLError: Error, Sendable, Hashable, CustomStringConvertible {
  /// What one may decide by.
  ///
  /// What a service answers to a request that ended so:
  ///
  /// ```swift
  /// func answer(to error: SQLError) -> (status: Int, text: String) {
  ///   switch error.kind {
  ///   case .uniqueViolation: (409, "there is one already")
  ///   case .constraintViolation, .value: (400, error.message)
  ///   // Another transaction was in the way: all of it may be done again at once.
  ///   case .conflict, .busy: (503, "try again")
  ///   // The database has too much to do, or is away.
  ///   case .timeout, .resources, .unreachable, .connectionLost: (503, "try again later")
  ///   // It may have happened: only who sends the same id again is on the safe side.
  ///   case .commitUnknown: (504, "ask whether it was done before you try again")
  ///   // The client has gone, and its task with it.
  ///   case .cancelled: (499, "")
  ///   // Somebody has to look: at the password, at the schema, at the disk, at this program.
  ///   case .authentication, .statement, .storage, .misuse, .transactionOver, .other: (500, "that was not to happen")
  ///   }
  /// }
  /// ```
  public enum Kind: Sendable, Hashable {
    /// There is no server at that address, or it does not take connections now; the file cannot be opened.
    case unreachable
    /// User, password or the right to connect.
    case authentication
    /// The connection broke. What the statement did was undone, unless it stood outside of a transaction: then it is not known.
    case connectionLost
    /// The connection broke during COMMIT: whether the transaction happened is not known.
    case commitUnknown
    /// Another transaction was in the way (a serialization failure, a deadlock): the whole transaction may be tried again.
    case conflict
    /// Somebody else held a lock for too long.
    case busy
    /// The statement took longer than allowed.
    case timeout
    /// A unique key is there already.
    case uniqueViolation
    /// Another constraint: a foreign key, NOT NULL, CHECK.
    case constraintViolation
    /// The statement itself: its syntax, or a table or column that is not there.
    case statement
    /// A parameter or a value that does not fit.
    case value
    /// No room, no memory, too many connections.
    case resources
    /// The disk failed, or the file is damaged.
    case storage
    /// The transaction has failed or is over; nothing more can be done in it.
    case transactionOver
    /// The program itself: a database used inside its own transaction, or after `close`.
    case misuse
    /// The task was cancelled while it waited for a connection; nothing has happened.
    case cancelled
    /// What the database says and none of the above is.
    case other
  }

  /// What kind of error it is: what to decide by.
  public let kind: Kind
  /// PostgreSQL's SQLSTATE (`23505`) or SQLite's name for it (`SQLITE_CONSTRAINT_UNIQUE`); empty where it is neither's.
  public let sqlstate: String
  /// The database's own sentence.
  public let message: String
  /// What to do about it; may be empty.
  public let advice: String

  package init(_ kind: Kind, _ message: String, sqlstate: String = "", advice: String = "") {
    self.kind = kind
    self.sqlstate = sqlstate
    self.message = message
    self.advice = advice
  }

  /// Whether the same transaction, begun anew, may succeed without anybody changing anything but time passing.
  ///
  /// After `.connectionLost` outside of a transaction and after `.commitUnknown` only what may happen twice may be tried again.
  public var isRetriable: Bool {
    switch kind {
    case .unreachable, .connectionLost, .commitUnknown, .conflict, .busy, .timeout, .resources: true
    case .authentication, .uniqueViolation, .constraintViolation, .statement, .value, .storage, .transactionOver,
      .misuse, .cancelled, .other:
      false
    }
  }

  /// One sentence: the database's own, its code, and what to do.
  public var description: String {
    var text = message
    if !sqlstate.isEmpty { text += " (\(sqlstate))" }
    if !advice.isEmpty { text += "; \(advice)" }
    return text
  }
}
