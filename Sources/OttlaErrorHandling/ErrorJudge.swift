internal import OttlaClient

/// Whether a record that failed may be tried again.
///
/// ```swift
/// let judge = ErrorJudge().judging { error -> ErrorKind? in
///   guard let answer = error as? HTTPError else { return nil }   // another rule's business
///   switch answer.status {
///   case 401, 403: return .halting            // our key is wrong, and will be for the next record
///   case 429, 500...599: return .retriable    // the service has too much to do, or is away
///   default: return .fatal                    // it does not take this record, neither now nor later
///   }
/// }
/// ```
public enum ErrorKind: Hashable, Sendable {
  /// It may go well another time: a service is away, a lock is held.
  case retriable
  /// It fails each time: the record itself is wrong.
  case fatal
  /// The record is not to blame, and the next one will fail as this did: a password is wrong, a table is missing. Processing ends with
  /// ``ProcessingStopped``, and the record is not committed.
  case halting
}

/// Tells errors that pass from errors that stay, by their type (Spring's `ExceptionClassifier`).
///
/// What does not decode is fatal, and so is a record that is too large to be sent on; everything else is retriable until told
/// otherwise. Nothing is halting unless told. What was said last counts first.
///
/// ```swift
/// let judge = ErrorJudge().fatal(InvalidAddress.self).judging { error in
///   (error as? MailError)?.isPermanent == true ? .fatal : nil
/// }
/// ```
public struct ErrorJudge: Sendable {
  private var rules: [@Sendable (any Error) -> ErrorKind?] = []

  /// Judges as described above.
  public init() {}

  /// Errors of this type are fatal.
  public func fatal<Failure: Error>(_ type: Failure.Type) -> ErrorJudge {
    judging { $0 is Failure ? .fatal : nil }
  }

  /// Errors of this type end processing: see ``ErrorKind/halting``.
  ///
  /// ```swift
  /// let judge = ErrorJudge().halting(WrongPassword.self)
  /// ```
  public func halting<Failure: Error>(_ type: Failure.Type) -> ErrorJudge {
    judging { $0 is Failure ? .halting : nil }
  }

  /// Errors of this type are retriable.
  ///
  /// ```swift
  /// // Writers are deployed before readers: in a minute there may be a reader that knows the new fields.
  /// let handler = ErrorHandler(
  ///   judge: ErrorJudge().retriable(DeserializationError.self), backOff: .fixed(.seconds(60), retries: 10))
  /// ```
  public func retriable<Failure: Error>(_ type: Failure.Type) -> ErrorJudge {
    judging { $0 is Failure ? .retriable : nil }
  }

  /// Asks `rule` before all rules so far; nil leaves the error to them.
  public func judging(_ rule: @escaping @Sendable (any Error) -> ErrorKind?) -> ErrorJudge {
    var other = self
    other.rules.append(rule)
    return other
  }

  /// What kind of error this is.
  ///
  /// So rules can be tested without a broker:
  ///
  /// ```swift
  /// let judge = ErrorJudge().fatal(InvalidAddress.self)
  /// #expect(judge.kind(of: InvalidAddress()) == .fatal)
  /// #expect(judge.kind(of: MailServerAway()) == .retriable)   // no rule says anything of it
  /// ```
  public func kind(of error: any Error) -> ErrorKind {
    for rule in rules.reversed() { if let kind = rule(error) { return kind } }
    switch error {
    case is DeserializationError, is SerializationError: return .fatal
    // Other errors of a client are about the client, and not about the record.
    case ClientError.messageTooLarge: return .fatal
    case let error as ProducerError:
      if case .messageTooLarge? = error.cause { return .fatal }
      return .retriable
    default: return .retriable
    }
  }
}
