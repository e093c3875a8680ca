internal import Mailing
internal import NotificationVocabulary

/// Makes the mail that a notification becomes.
struct NotificationMail: Sendable {
  private let from: MailAddress
  private let template: MailTemplate

  /// - Throws: where `from` is no address.
  init(from: String) throws {
    self.from = try MailAddress(from, name: "Ottla")
    template = try MailTemplate(
      """
      <!DOCTYPE html>
      <html lang="vi">
        <head><meta charset="utf-8"></head>
        <body style="font-family: sans-serif">
          <h2>Xin chào {{name}},</h2>
          <p>{{content}}</p>
          <p style="color: #888">Thư này được gửi tự động, xin đừng trả lời.</p>
        </body>
      </html>
      """)
  }

  /// - Parameter id: what the record is known by: a mail that is sent again has the same Message-ID, by which it is known as a repeat.
  /// - Throws: `MailError` for an address that is none.
  func mail(_ notification: Notification, id: String) throws -> Mail {
    Mail(
      from: from, to: try MailAddress(notification.to, name: notification.toName), subject: notification.subject,
      html: try template.html(["name": notification.toName, "content": notification.content]), id: id)
  }
}
