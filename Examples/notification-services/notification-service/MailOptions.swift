internal import Foundation
internal import Launching
internal import Mailing

/// Where mails go, as a program was told.
enum MailOptions {
  private static let variable = "MAIL_PASSWORD"

  static let all: [CommandUsage.Option] = [
    .init("mail-host", "NAME", "the mail server, by the name in its certificate", default: "localhost"),
    .init("mail-port", "PORT", "where it offers STARTTLS", default: "587"),
    .init("mail-user", "USER", "who logs in", default: "ottla"),
    .init("mail-password", "WORD", "without it, the environment's \(variable)", default: ""),
    .init("mail-certificate", "FILE", "PEM file with what to trust; without it, what the system trusts", default: ""),
    .init("mail-from", "ADDRESS", "the sender", default: "notifications@example.com"),
  ]

  /// - Throws: a sentence for what is missing, or wrong.
  static func settings(_ options: CommandOptions) throws(CommandError) -> MailerSettings {
    let given = options["mail-password"]
    let password = given.isEmpty ? ProcessInfo.processInfo.environment[variable] ?? "" : given
    guard !password.isEmpty else { throw CommandError("--mail-password is missing, and so is \(variable)") }
    var settings = MailerSettings(
      host: options["mail-host"], port: try options.number("mail-port", in: 1...65535), user: options["mail-user"],
      password: password)
    let file = options["mail-certificate"]
    guard !file.isEmpty else { return settings }
    guard FileManager.default.isReadableFile(atPath: file) else {
      throw CommandError("--mail-certificate: \(file) cannot be read")
    }
    settings.caFile = file
    return settings
  }
}
