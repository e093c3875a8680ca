internal import HTTPServing
internal import Launching
internal import NotificationVocabulary
internal import OttlaClient
internal import OttlaOutbox
internal import OttlaOutboxProducer
internal import OttlaPostgreSQL
internal import OttlaSQL

/// Makes accounts, and tells the other services by topics.
///
/// A request writes the account and its messages into one database; the publisher sends the messages, at once and as often as it takes.
@main struct AccountService {
  static let usage = CommandUsage(
    "account-service",
    about: "POST /account/new with JSON name and email makes an account, and sends 100 notifications and a statistic.",
    options: [
      .init("bootstrap", "HOST:PORT", "a broker of the cluster", default: "localhost:9092"),
      .init("port", "PORT", "where it listens for HTTP; 0 takes any that is free", default: "7890"),
      DatabaseOption.option,
      .init("keep-sent", "SECONDS", "how long sent messages stay in the database", default: "60"),
    ],
    examples: [
      "account-service --database postgresql://ottla:secret@localhost/services",
      "DATABASE_URL=postgresql://ottla:secret@localhost/services account-service --port 8000",
    ])

  static func main() async {
    let options = usage.readOrExit()
    let database: SQLDatabase
    let port: UInt16
    let keeping: Int
    do {
      database = .postgreSQL(try DatabaseOption.options(options))
      port = try options.number("port", in: 0...65535)
      keeping = try options.number("keep-sent", in: 1...86_400)
    } catch { usage.refuse(error) }
    let bootstrap = options["bootstrap"]
    let run = ServiceRun(usage.program)
    await run.run {
      let producer = try Producer(Publishing.configuration(bootstrap: bootstrap))
      let store = SQLOutboxStore(database)
      let publisher = Publishing.publisher(
        store, Publishing.settings(keeping: .seconds(keeping)), producer, failed: run.fail)
      try await serve(Accounts(database, store), publisher, bootstrap: bootstrap, port: port)
      // What is not acknowledged by now is in the outbox still, and is sent by the next run.
      try? await producer.close(within: .seconds(1))
      await database.close()
    }
  }

  /// Serves until the task is cancelled.
  private static func serve(
    _ accounts: Accounts, _ publisher: OutboxPublisher<SQLOutboxStore>, bootstrap: String, port: UInt16
  ) async throws {
    try await trying("the database") { try await accounts.prepare() }
    let router = AccountRoutes.router(open: { try await accounts.open($0) }, opened: publisher.wake)
    var settings = HTTPServer.Settings(port: port)
    settings.onError = { complain("a request failed: \($0)") }
    let server = try HTTPServer.start(router, settings)
    say("ready http=127.0.0.1:\(server.port)")
    do {
      // Accounts are taken in the meantime; their messages wait.
      try await Topics.prepare([Topics.notification, Topics.statistic], bootstrap: bootstrap)
      await publisher.run()
    } catch {
      await server.stop()
      throw error
    }
    await server.stop()
  }
}
