internal import Mailing
internal import ServiceSteps

/// A record of topic `emails`.
struct Email: Codable, Sendable, Hashable {
  let to: String
  let subject: String
  let text: String
}

/// Makes mails of records.
struct Letters: Sendable {
  private let from: MailAddress
  private let template: MailTemplate

  init(from: MailAddress) throws(MailTemplate.Mistake) {
    self.from = from
    template = try MailTemplate("<html><body><p>{{text}}</p></body></html>")
  }

  /// - Parameter id: what makes it this mail; its Message-ID is made of it.
  /// - Throws: `ImpossibleEvent` for a record that is no mail.
  func mail(_ email: Email, id: String) throws -> Mail {
    // What a Message-ID leaves out would make two ids one.
    guard id.isPlainName(bytesMax: 100) else {
      throw ImpossibleEvent("the mail's id '\(id)' must be 1 to 100 letters, digits, '-', '_' or '.'")
    }
    do {
      let to = try MailAddress(email.to)
      return Mail(from: from, to: to, subject: email.subject, html: try template.html(["text": email.text]), id: id)
    } catch {
      throw ImpossibleEvent("mail \(id): \(error)")
    }
  }
}
