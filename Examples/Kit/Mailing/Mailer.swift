internal import Glibc
internal import Threads

/// Where a mail server is, and who sends.
package struct MailerSettings: Sendable {
  package enum Security: Sendable, Hashable {
    /// Nothing is encrypted, the password neither: for tests.
    case none
    /// The connection is encrypted before anything else is said; a server that cannot is refused.
    case startTLS
    /// Encrypted from the first byte.
    case tls
  }

  /// A name, which the server's certificate has to carry.
  package var host: String
  package var port: UInt16
  package var security = Security.startTLS
  /// Nil for no login.
  package var user: String?
  package var password: String?
  /// A file with the certificates to trust, where the system's do not do.
  package var caFile: String?
  /// How long one mail may take.
  package var secondsMax = 30

  package init(host: String, port: UInt16, user: String? = nil, password: String? = nil) {
    self.host = host
    self.port = port
    self.user = user
    self.password = password
  }
}

/// Sends mails over SMTP, one after another, with libcurl: on a thread of its own, over a connection that is kept.
///
/// ```swift
/// let mailer = Mailer(MailerSettings(host: "mail.example.com", port: 587, user: "shop", password: "..."))
/// let template = try MailTemplate("<h1>Xin chào {{name}}</h1>")
/// try await mailer.send(
///   Mail(
///     from: MailAddress("shop@example.com", name: "Cửa hàng"), to: MailAddress("an@example.com", name: "An"),
///     subject: "Chào mừng", html: template.html(["name": "An"]), id: "welcome-17"))
/// ```
package actor Mailer {
  private let thread: BlockingThread
  private let transfer: SMTPTransfer
  private let settings: MailerSettings

  package nonisolated var unownedExecutor: UnownedSerialExecutor { thread.asUnownedSerialExecutor() }

  package init(_ settings: MailerSettings) {
    thread = BlockingThread(name: "mailer")
    transfer = SMTPTransfer()
    self.settings = settings
  }

  deinit { thread.stop() }

  /// Sends a mail, and returns when the server has taken it.
  ///
  /// - Throws: `.retriable` or `.fatal`, by the server's code where there is one.
  package func send(_ mail: Mail) throws(MailError) {
    let text = MailFormat.encode(mail, seconds: Int64(time(nil)), host: String(mail.from.domain))
    try transfer.send(text, from: mail.from.address, to: mail.to.address, settings)
  }
}

extension MailAddress {
  /// What stands behind the @. A mail's id is of its sender, whichever server takes it.
  var domain: Substring {
    address[(address.firstIndex(of: "@").map { address.index(after: $0) } ?? address.startIndex)...]
  }
}
