internal import Launching
internal import Mailing
internal import NotificationVocabulary
internal import OttlaClient
internal import OttlaErrorHandling
internal import OttlaJSON
internal import OttlaOutboxProducer

/// Sends each record of topic `notification` as a mail.
@main struct NotificationService {
  static let usage = CommandUsage(
    "notification-service",
    about: "Reads topic notification as a member of notificationGroup, and sends mails over SMTP with STARTTLS.",
    options: [
      .init("bootstrap", "HOST:PORT", "a broker of the cluster", default: "localhost:9092"),
      .init(
        flag: "retry-topics", "5 attempts over topics, while others go on; without it 3 in place, a second apart"),
    ] + MailOptions.all,
    examples: [
      "MAIL_PASSWORD=secret notification-service --mail-host mail.example.com --mail-user shop",
      "MAIL_PASSWORD=secret notification-service --retry-topics --mail-certificate ca.pem",
    ])

  static func main() async {
    let options = usage.readOrExit()
    let mailer: Mailer
    do { mailer = Mailer(try MailOptions.settings(options)) } catch { usage.refuse(error) }
    let letters: NotificationMail
    do { letters = try NotificationMail(from: options["mail-from"]) } catch {
      usage.refuse(CommandError("--mail-from: \(error)"))
    }
    let bootstrap = options["bootstrap"]
    let processor = processor(
      bootstrap: bootstrap, options.isSet("retry-topics") ? Failures.unhurried : Failures.patient
    ) { notification, record in
      try await mailer.send(letters.mail(notification, id: record.identity))
      say("mailed \(notification.to): \(notification.subject) (\(record.topicPartition)@\(record.offset))")
    }
    await ServiceRun(usage.program).run(stop: processor.stop) {
      try await processor.runWaiting(for: Topics.notification, bootstrap: bootstrap)
    }
  }

  private static func processor(
    bootstrap: String, _ errorHandler: ErrorHandler,
    _ handle: @escaping @Sendable (Notification, ConsumerRecord) async throws -> Void
  ) -> RecordProcessor {
    var configuration = Groups.member(of: "notificationGroup", bootstrap: bootstrap, named: usage.program)
    // What was mailed since the last commit is mailed again after a kill: the sooner it is committed, the less.
    configuration.autoCommitIntervalMs = 500
    var settings = ProcessingSettings()
    settings.createsTopics = true
    settings.onEvent = { complain("\($0)") }
    return RecordProcessor(
      configuration, topics: [Topics.notification], by: JSONCodec<Notification>(), errorHandler: errorHandler,
      settings: settings, handle: handle)
  }
}
