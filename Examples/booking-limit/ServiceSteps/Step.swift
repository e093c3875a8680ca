package import Launching
package import OttlaClient
internal import OttlaErrorHandling
internal import OttlaJSON
internal import OttlaOutbox
package import OttlaSQL

/// A step between topics: reads one, and lets each record have its effect once, in a transaction of the database together with
/// the messages that follow from it. These wait in the transactional outbox until they are acknowledged.
///
/// So whatever is killed, and whenever: a record that comes again finds its id in the inbox and has no effect; and a message that
/// was published twice has the same id both times, by which the next step drops it.
package struct Step<Event: Codable & Sendable>: Sendable {
  /// What is done with an event; what it returns is said when it has happened.
  package typealias Effect = @Sendable (Event, StepTransaction) async throws -> String

  private let name: String
  private let topic: String
  private let id: @Sendable (Event, ConsumerRecord) throws -> String
  private let prepare: @Sendable (SQLTransaction) async throws -> Void
  private let clean: @Sendable (SQLDatabase) async throws -> Void
  private let effect: Effect

  /// - Parameters:
  ///   - name: the group that reads, and whose inbox it is.
  ///   - id: what makes an event this one, however often it comes.
  ///   - prepare: makes the tables.
  ///   - clean: is called every hour, and removes what is of no use any more.
  package init(
    _ name: String, reading topic: String,
    id: @escaping @Sendable (Event, ConsumerRecord) throws -> String = { $1.stepID },
    prepare: @escaping @Sendable (SQLTransaction) async throws -> Void,
    clean: @escaping @Sendable (SQLDatabase) async throws -> Void = { _ in }, effect: @escaping Effect
  ) {
    self.name = name
    self.topic = topic
    self.id = id
    self.prepare = prepare
    self.clean = clean
    self.effect = effect
  }

  /// Works until the service is to end.
  package func run(_ options: CommandOptions, until stopping: Stopping) async throws {
    let database = try SQLDatabase.named(options["database"])
    let producer = try RenewedProducer(bootstrap: options["bootstrap"], clientId: name)
    let store = SQLOutboxStore(database)
    let inbox = Inbox(database, consumer: name)
    let reading = Reading(
      topic: topic, group: name, instance: options["instance"], bootstrap: options["bootstrap"], order: .key,
      concurrencyMax: 4)
    say("ready group=\(name) reads=\(topic)")
    try await withThrowingTaskGroup(of: Void.self) { group in
      try await stopping.untilDatabaseAnswers {
        try await store.prepare()
        try await inbox.prepare()
        try await database.makeTables(prepare)
      }
      group.addTask { await Self.publish(store, producer) }
      group.addTask { await keepClean(database, inbox, stopping) }
      try await reading.run(by: JSONCodec<Event>(), judge: Self.judge, until: stopping) { event, record in
        try await handle(event, record, database, inbox, store)
      }
      group.cancelAll()
    }
    await producer.close()
    await database.close()
  }

  private func handle(
    _ event: Event, _ record: ConsumerRecord, _ database: SQLDatabase, _ inbox: Inbox, _ store: SQLOutboxStore
  ) async throws {
    let id = try id(event, record)
    let outbox = Outbox(store)
    let sentence = try await database.transaction { transaction in
      var sentence = "\(record.topicPartition) at offset \(record.offset) came before: \(id)"
      try await inbox.once(id, in: transaction) {
        sentence = try await effect(event, StepTransaction(sql: transaction, outbox: outbox))
      }
      return sentence
    }
    say(sentence)
  }

  private static var judge: ErrorJudge {
    ErrorJudge().fatal(ImpossibleEvent.self).judging { error in
      // The database is well, and this event is what it does not take.
      switch (error as? SQLError)?.kind {
      case .value, .constraintViolation, .uniqueViolation: .fatal
      default: nil
      }
    }
  }

  private static func publish(_ store: SQLOutboxStore, _ producer: RenewedProducer) async {
    var settings = OutboxSettings()
    settings.interval = .milliseconds(100)
    settings.lease = .seconds(5)
    settings.retryPause.first = .milliseconds(200)
    settings.retryPause.max = .seconds(5)
    let publisher = OutboxPublisher(store, settings: settings) { event in
      switch event {
      case .failed(let message, let reason, let count):
        say("outbox: \(message.id) was not acknowledged, \(count) times so far, and is tried again: \(reason)")
      case .refused(let message, let reason): say("outbox: \(message.id) is set aside: \(reason)")
      case .storeFailed(let reason): say("outbox: the database is asked again later: \(reason)")
      case .sent, .removed: break
      }
    } publish: { message in
      let headers = message.headersWithID.map { Header($0.name, $0.value) }
      do {
        _ = try await producer.send(
          ProducerRecord(topic: message.topic, key: message.key, value: message.value, headers: headers))
      } catch ProducerError.rejected(.messageTooLarge(let reason)) {
        throw OutboxRefusal(reason)
      }
    }
    await publisher.run()
  }

  /// Ids are kept for longer than topics keep records, which is 7 days unless said otherwise.
  private func keepClean(_ database: SQLDatabase, _ inbox: Inbox, _ stopping: Stopping) async {
    repeat {
      do {
        while try await inbox.forget(olderThan: .seconds(14 * 86_400)) == 1000 {}
        try await clean(database)
      } catch {
        if !Task.isCancelled { say("cleaning is tried again in an hour: \(error)") }
      }
    } while await stopping.pause(.seconds(3600))
  }
}

/// What an effect may do: statements, and messages that are sent if and when the transaction is committed.
package struct StepTransaction {
  /// The transaction that the event's id is remembered in.
  package let sql: SQLTransaction
  fileprivate let outbox: Outbox<SQLOutboxStore>

  /// Sends `event` as JSON after the commit.
  ///
  /// - Parameter id: what makes it this one, however often it is sent: the header `outbox-id`.
  package func send<Event: Codable & Sendable>(
    _ event: Event, to topic: String, key: String, id: String
  ) async throws {
    let value = try JSONCodec<Event>().serialize(event, topic: topic)
    try await outbox.add(OutboxMessage(id: id, topic: topic, key: Array(key.utf8), value: value), in: sql)
  }
}

/// An event that can be read, and says what cannot be: it goes to the dead letters.
package struct ImpossibleEvent: Error, Hashable, CustomStringConvertible {
  package let description: String
  package init(_ description: String) { self.description = description }
}

extension ConsumerRecord {
  /// The id that the outbox gave it; for a record that came otherwise, its place.
  package var stepID: String { header(OutboxMessage.idHeader)?.text ?? "\(topicPartition)-\(offset)" }
}

extension CommandUsage.Option {
  /// What every step has.
  package static func ofStep(_ name: String) -> [CommandUsage.Option] {
    [
      CommandUsage.Option("bootstrap", "HOST:PORT,...", "where the brokers are", default: "127.0.0.1:9092"),
      CommandUsage.Option(
        "database", "ADDRESS", "sqlite:FILE, or postgresql://user:password@host:port/name", default: "sqlite:\(name).db"
      ),
      CommandUsage.Option(
        "instance", "NAME", "a name of this process that it keeps when it is started again (group.instance.id)",
        default: ""),
    ]
  }
}
