internal import Mailing

/// What an attempt that failed says about its mail.
enum MailVerdict: Hashable, Sendable {
  /// It was not taken, and may be another time.
  case unsent
  /// It was not taken, and never will be: it is for the dead letters.
  case undeliverable
  /// The connection broke after the mail and before the server's answer.
  case inDoubt

  /// A server that says "not now" is asked again for about an hour, at the pace at which records are tried again.
  static let attemptsMax = 700

  init(_ error: MailError, attempts: Int) {
    if error.mayHaveArrived {
      self = .inDoubt
    } else if error.code == 0 || [530, 534, 535, 538].contains(error.code) {
      // No server, no trust, no login: that is not this mail's fault, and passes when somebody mends it.
      self = .unsent
    } else if error.kind == .fatal || attempts >= Self.attemptsMax {
      self = .undeliverable
    } else {
      self = .unsent
    }
  }
}
