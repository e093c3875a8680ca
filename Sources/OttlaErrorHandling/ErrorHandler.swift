/// What is done with a record on which the handler fails (Spring's `DefaultErrorHandler`).
///
/// It is judged whether trying again can help. Then the record is tried again after the waits of `backOff`, while its partition rests; then,
/// where there are retry topics, from those; then `whenUsedUp` says what becomes of it. A fatal error goes there at once; a halting one ends
/// processing, and the record is not committed.
///
/// ```swift
/// // a second apart, two retries, then notification.DLT
/// let patient = ErrorHandler(backOff: .fixed(.seconds(1), retries: 2))
/// // five attempts, 2 s doubling, over retry topics, then notification-dlt; other records do not wait
/// let unhurried = ErrorHandler(
///   retryTopics: RetryTopics(.exponential(from: .seconds(2), retries: 4)),
///   whenUsedUp: .deadLetter(DeadLetters(suffix: "-dlt")))
/// ```
///
/// What fails for good needs no retries, and what fails for everybody must not become a dead letter:
///
/// ```swift
/// var handler = ErrorHandler(backOff: .exponential(from: .milliseconds(500), retries: 8, jitter: 0.2))
/// handler.judge = ErrorJudge().fatal(InvalidAddress.self).halting(WrongPassword.self)
/// ```
public struct ErrorHandler: Sendable {
  /// What becomes of a record that is not tried any more.
  ///
  /// ```swift
  /// // Somebody looks at each payment that failed.
  /// let payments = ErrorHandler(whenUsedUp: .deadLetter(DeadLetters()))
  /// // The next position of a lorry comes soon enough; `onEvent` is told of this one.
  /// let positions = ErrorHandler(backOff: .none, whenUsedUp: .skip)
  /// // An entry of a ledger builds on the one before: none may be left out.
  /// let ledger = ErrorHandler(backOff: .fixed(.seconds(5), retries: 10), whenUsedUp: .stop)
  /// ```
  public enum WhenUsedUp: Sendable {
    /// It goes to a topic of dead letters, and processing goes on behind it.
    case deadLetter(DeadLetters)
    /// It is told (`onEvent`), and processing goes on behind it.
    case skip
    /// Processing ends with ``ProcessingStopped``. The record is not committed: it comes again.
    case stop
  }

  /// Which errors may pass.
  public var judge: ErrorJudge
  /// The waits before a record is tried again in its place.
  public var backOff: BackOff
  /// Retries from topics of their own, after those of `backOff`; nil for none.
  public var retryTopics: RetryTopics?
  /// What becomes of a record after all retries, or after a fatal error.
  public var whenUsedUp: WhenUsedUp

  /// Blocking retries: records of the same partition wait, so their order holds.
  public init(
    judge: ErrorJudge = ErrorJudge(), backOff: BackOff = .fixed(.seconds(1), retries: 2),
    whenUsedUp: WhenUsedUp = .deadLetter(DeadLetters())
  ) {
    self.judge = judge
    self.backOff = backOff
    self.whenUsedUp = whenUsedUp
  }

  /// Retries over topics: records of the same partition do not wait, and may overtake it.
  ///
  /// - Parameter backOff: retries in its place before that; none unless said.
  public init(
    judge: ErrorJudge = ErrorJudge(), backOff: BackOff = .none, retryTopics: RetryTopics,
    whenUsedUp: WhenUsedUp = .deadLetter(DeadLetters())
  ) {
    self.judge = judge
    self.backOff = backOff
    self.retryTopics = retryTopics
    self.whenUsedUp = whenUsedUp
  }
}

/// Processing has ended at a record that failed for good, because the error handler says `.stop`, or at one whose error is halting.
///
/// ```swift
/// do {
///   try await processor.run()
/// } catch let stopped as ProcessingStopped {
///   print("\(stopped.topic)-\(stopped.partition) stands at offset \(stopped.offset), tried \(stopped.attempts) times")
///   // Whoever starts the program again at once would only see the same: 78 says that its configuration is wrong.
///   if stopped.error is WrongPassword { exit(78) }
///   throw stopped
/// }
/// ```
public struct ProcessingStopped: Error, CustomStringConvertible {
  /// The topic's name.
  public let topic: String
  /// The partition's number.
  public let partition: Int32
  /// The record's offset there. It is not committed.
  public let offset: Int64
  /// How often the handler was given it.
  public let attempts: Int
  /// The last error.
  public let error: any Error

  /// One sentence with the place and the reason.
  public var description: String {
    "processing stopped at \(topic)-\(partition), offset \(offset), after \(attempts) attempts: \(error)"
  }
}
