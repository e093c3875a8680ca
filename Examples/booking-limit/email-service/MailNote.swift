/// What the email service has written down about a mail.
///
/// Can become: unsent; sending, when an attempt begins; sent, when the server has taken it, for ever; unsent again, when it certainly has not.
/// One that is found sending was begun by an attempt of which nobody has written down the end: it is in doubt.
struct MailNote: Hashable, Sendable {
  enum State: String, Hashable, Sendable {
    case unsent, sending, sent
  }

  let state: State
  /// How often sending it was begun. It tells attempts apart, whoever makes them.
  let attempts: Int

  /// What to do with a mail in doubt: it may have arrived, or not, and SMTP cannot be asked.
  enum WhenInDoubt: String, CaseIterable, Sendable {
    /// At least once: it is sent again, with the same Message-ID, by which mail servers and readers know a repeat.
    case sendAgain = "send-again"
    /// At most once: it goes to the dead letters, for a person to look into.
    case deadLetter = "dead-letter"
  }

  enum Decision: Hashable, Sendable {
    /// Begin an attempt; in doubt, it may be the second mail.
    case send(isInDoubt: Bool)
    case drop
    /// Whoever began the last attempt may be alive, and about to write down its end: look again in a while.
    case wait
    case setAside
  }

  /// - Parameter earlier: the note as it was before the wait; nil before any.
  func decision(earlier: MailNote?, whenInDoubt: WhenInDoubt) -> Decision {
    switch state {
    case .unsent: .send(isInDoubt: false)
    case .sent: .drop
    // Another attempt than before the wait: somebody is at work.
    case .sending where earlier != self: .wait
    case .sending: whenInDoubt == .sendAgain ? .send(isInDoubt: true) : .setAside
    }
  }
}
