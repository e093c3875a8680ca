internal import Mailing
internal import OttlaErrorHandling

/// What is done with a notification that could not be sent.
enum Failures {
  static let judge = ErrorJudge().fatal(MailTemplate.Mistake.self).judging { error in
    guard let error = error as? MailError else { return nil }
    // A wrong password is not the record's fault: where nothing can be sent, nothing must become a dead letter.
    if error.concernsSettings { return .halting }
    return error.kind == .fatal ? .fatal : .retriable
  }

  /// Two retries, a second apart, while the partition waits; then `notification.DLT`.
  static let patient = ErrorHandler(judge: judge, backOff: .fixed(.seconds(1), retries: 2))

  /// Five attempts, after 2, 4, 8 and 16 s, over `notification-retry-0` to `-3`, while others go on; then `notification-dlt`.
  static let unhurried = ErrorHandler(
    judge: judge, retryTopics: RetryTopics(.exponential(from: .seconds(2), retries: 4)),
    whenUsedUp: .deadLetter(DeadLetters(suffix: "-dlt")))
}
