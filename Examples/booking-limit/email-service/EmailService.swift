internal import Glibc
internal import Launching
internal import Mailing
internal import OttlaClient
internal import OttlaErrorHandling
internal import OttlaJSON
internal import OttlaSQL
internal import ServiceSteps

/// Sends the mails of topic `emails`. Whoever wants a mail sent writes a record; this service knows none of them.
@main struct EmailService {
  private static let name = "email-service"
  private static let passwordVariable = "MAIL_PASSWORD"

  static let usage = CommandUsage(
    name,
    about:
      "Sends the mails of topic emails over SMTP, each once. The password comes from the environment, \(passwordVariable).",
    options: CommandUsage.Option.ofStep(name) + [
      CommandUsage.Option("mail-host", "NAME", "the mail server", default: "localhost"),
      CommandUsage.Option("mail-port", "PORT", "its port; STARTTLS is required", default: "587"),
      CommandUsage.Option("mail-user", "USER", "who logs in; empty for nobody", default: ""),
      CommandUsage.Option("mail-ca", "FILE", "certificates to trust; the system's where it is empty", default: ""),
      CommandUsage.Option("from", "ADDRESS", "who the mails are from", default: "bookings@example.com"),
      CommandUsage.Option(
        "in-doubt", MailNote.WhenInDoubt.allCases.map(\.rawValue).joined(separator: "|"),
        "what becomes of a mail that may have arrived: twice perhaps, or perhaps never",
        default: MailNote.WhenInDoubt.sendAgain.rawValue),
    ],
    examples: [
      "\(passwordVariable)=secret \(name) --mail-host mail.example.com --mail-user shop",
      "\(name) --in-doubt dead-letter --database postgresql://ottla:secret@127.0.0.1:5432/mails",
    ])

  static func main() async {
    await runService(usage) { options, stopping in
      let database = try SQLDatabase.named(options["database"])
      let delivery = MailDelivery(
        notes: MailNotes(database: database), mailer: Mailer(try mailer(options)),
        whenInDoubt: try whenInDoubt(options),
        grace: .seconds(3), stopping: stopping)
      let letters = try Letters(from: sender(options))
      let reading = Reading(
        topic: "emails", group: name, instance: options["instance"], bootstrap: options["bootstrap"], order: .none,
        concurrencyMax: 4)
      say("ready group=\(name) reads=emails")
      try await stopping.untilDatabaseAnswers { try await delivery.notes.prepare() }
      try await reading.run(by: JSONCodec<Email>(), judge: judge, until: stopping) { email, record in
        try await delivery.deliver(letters.mail(email, id: record.stepID))
      }
      await database.close()
    }
  }

  static var judge: ErrorJudge {
    ErrorJudge().fatal(ImpossibleEvent.self).fatal(Undeliverable.self).fatal(InDoubt.self)
  }
}

/// What the options say.
extension EmailService {
  private static func mailer(_ options: CommandOptions) throws(CommandError) -> MailerSettings {
    var settings = MailerSettings(host: options["mail-host"], port: try options.number("mail-port", in: 1...65_535))
    if !options["mail-user"].isEmpty {
      guard let password = getenv(passwordVariable) else {
        throw CommandError("--mail-user \(options["mail-user"]) needs a password to log in: set \(passwordVariable)")
      }
      settings.user = options["mail-user"]
      settings.password = String(cString: password)
    }
    if !options["mail-ca"].isEmpty { settings.caFile = options["mail-ca"] }
    return settings
  }

  private static func whenInDoubt(_ options: CommandOptions) throws(CommandError) -> MailNote.WhenInDoubt {
    guard let policy = MailNote.WhenInDoubt(rawValue: options["in-doubt"]) else {
      let allowed = MailNote.WhenInDoubt.allCases.map(\.rawValue).joined(separator: " or ")
      throw CommandError("--in-doubt must be \(allowed); it is '\(options["in-doubt"])'")
    }
    return policy
  }

  private static func sender(_ options: CommandOptions) throws(CommandError) -> MailAddress {
    do throws(MailError) { return try MailAddress(options["from"]) } catch { throw CommandError("--from: \(error)") }
  }
}
