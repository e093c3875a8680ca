internal import Launching
internal import Mailing
internal import OttlaSQL
internal import ServiceSteps

/// Sends each mail once, as far as SMTP lets anybody.
///
/// Before an attempt it is written down that one begins, and after it how it ended. Only one thing cannot be known afterwards: how an
/// attempt ended whose process died, or whose connection broke, between the last byte of the mail and the commit.
struct MailDelivery: Sendable {
  let notes: MailNotes
  let mailer: Mailer
  let whenInDoubt: MailNote.WhenInDoubt
  /// How long an attempt that somebody else has begun is waited for.
  let grace: Duration
  let stopping: Stopping

  /// Returns when the mail was sent, now or before.
  ///
  /// - Throws: `Undeliverable` and `InDoubt`, which are for the dead letters; anything else may be tried again.
  func deliver(_ mail: Mail) async throws {
    var earlier: MailNote?
    while true {
      let before = earlier
      let (note, decision) = try await notes.begin(mail.id, recipient: mail.to.address) {
        $0.decision(earlier: before, whenInDoubt: whenInDoubt)
      }
      switch decision {
      case .drop: return say("mail \(mail.id) was sent before")
      case .setAside: throw InDoubt(id: mail.id)
      case .wait:
        earlier = note
        say("mail \(mail.id) was begun by an attempt without an end; in \(grace) it counts as in doubt")
        guard await stopping.pause(grace) else { throw CancellationError() }
      case .send(let isInDoubt):
        if isInDoubt {
          say("mail \(mail.id) is in doubt, and is sent again: it may come twice, with the same Message-ID")
        }
        return try await send(mail, attempt: note.attempts + 1)
      }
    }
  }

  private func send(_ mail: Mail, attempt: Int) async throws {
    var isTaken = false
    do {
      try await notes.sent(mail.id, attempt: attempt) {
        try await mailer.send(mail)
        isTaken = true
      }
    } catch let error as MailError {
      switch MailVerdict(error, attempts: attempt) {
      case .inDoubt: throw error
      case .unsent:
        try await keepNoting(.unsent, mail.id, attempt)
        throw error
      case .undeliverable:
        try await keepNoting(.unsent, mail.id, attempt)
        throw Undeliverable(id: mail.id, reason: "\(error)")
      }
    } catch  where isTaken {
      // The commit failed. As long as this process lives it knows better than the database.
      say("mail \(mail.id) is sent, and the database could not be told yet: \(error)")
      try await keepNoting(.sent, mail.id, attempt)
    }
    say("mail \(mail.id) is sent to \(mail.to.address)")
  }

  /// Writes down what this process alone knows, however long the database is away.
  ///
  /// - Throws: what the database says, where the process has to end before.
  private func keepNoting(_ state: MailNote.State, _ id: String, _ attempt: Int) async throws {
    while true {
      do {
        return try await notes.note(state, id, attempt: attempt)
      } catch {
        guard !Task.isCancelled else { throw error }
        try? await Task.sleep(for: .milliseconds(200))
      }
    }
  }
}

/// The mail server will not take this mail, today or ever.
struct Undeliverable: Error, CustomStringConvertible {
  let id: String
  let reason: String
  var description: String { "mail \(id) is undeliverable: \(reason)" }
}

/// A mail that may have arrived, and is not sent again.
struct InDoubt: Error, CustomStringConvertible {
  let id: String
  var description: String {
    "mail \(id) may have arrived: an attempt was begun, and its end is not known. Ask the mail server's log for its Message-ID, "
      + "set its state in table mails to sent or unsent, and replay the dead letter"
  }
}
