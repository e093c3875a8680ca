import Foundation
import OttlaClient
import OttlaErrorHandling
import OttlaOutbox
import OttlaSQL
import Synchronization
import TestServers
import Testing

@testable import OttlaOutboxProducer
@testable import OttlaSQLite

@Suite struct UndeliveredOutboxTests {
  private let database = SQLDatabase.sqlite(SQLiteOptions(path: ":memory:"))
  private var store: SQLOutboxStore { SQLOutboxStore(database) }
  private let record = UndeliveredRecord(id: "order-17-paid", topic: "orders", value: Array("paid".utf8))

  @Test func theSameRecordIsKeptOnce() async throws {
    try await store.prepare()
    let outbox = UndeliveredOutbox(store, in: database)
    for _ in 0..<3 { try await outbox.keep(record) }
    #expect(try await store.counts() == (1, 0))
  }

  @Test func whatNoOutboxTakesIsSaid() async throws {
    try await store.prepare()
    let outbox = UndeliveredOutbox(store, in: database)
    var odd = record
    odd.headers = [Header(UndeliveredRecord.idHeader, "another")]
    await #expect(throws: OutboxMessageError.self) { try await outbox.keep(odd) }
    await database.close()
    await #expect(throws: SQLError.self) { try await outbox.keep(record) }
  }

  /// Where a connection broke and nobody knows whether it was kept, too: its id tells.
  @Test func aDatabaseThatIsAwayIsAskedThreeTimes() async throws {
    let folder = try temporaryFolder("undelivered")
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let options = SQLiteOptions(path: "\(folder)/outbox.db")
    let lasting = SQLDatabase.sqlite(options)
    let here = SQLOutboxStore(lasting)
    try await here.prepare()
    for (failures, isKept) in [(3, false), (2, true)] {
      let opened = Mutex(0)
      let flaky = SQLDatabase(dialect: .sqlite, connectionsMax: 1) { () throws(SQLError) in
        let number = opened.withLock { opened in
          opened += 1
          return opened
        }
        if number <= failures { throw SQLError(.unreachable, "away") }
        return try SQLiteSession(options)
      }
      let outbox = UndeliveredOutbox(SQLOutboxStore(flaky), in: flaky)
      if isKept {
        try await outbox.keep(record)
      } else {
        await #expect(throws: SQLError.self) { try await outbox.keep(record) }
      }
      #expect(opened.withLock { $0 } == 3)
      #expect(try await here.counts().unsent == (isKept ? 1 : 0))
      await flaky.close()
    }
    await lasting.close()
  }

  /// No broker is there: the record is kept, sent by the publisher later, and removed in the end.
  @Test func whatCannotBeSentIsSentLater() async throws {
    try await store.prepare()
    // Nobody listens on port 1.
    var configuration = ProducerConfiguration(bootstrapServers: "127.0.0.1:1")
    configuration.firstContactTimeoutMs = 200
    let producer = try Producer(configuration)
    let storing = StoringProducer(producer, fallingBackTo: UndeliveredOutbox(store, in: database))
    guard case .kept(let error) = try await storing.send(record) else {
      Issue.record("it was not kept")
      return
    }
    #expect(error.isRetriable)
    try? await producer.close(within: .zero)
    #expect(try await store.counts().unsent == 1)

    var settings = OutboxSettings()
    settings.interval = .milliseconds(10)
    settings.retention = .zero
    settings.cleaningInterval = .milliseconds(20)
    let sent = Mutex<[ProducerRecord]>([])
    let (ends, removed) = AsyncStream.makeStream(of: Int.self)
    let publisher = OutboxPublisher(store, settings: settings, endingWait: .zero) { event in
      if case .removed(let count) = event { removed.yield(count) }
    } onDelivery: { _, _ in
    } send: { (record) throws(ProducerError) in
      sent.withLock { $0.append(record) }
      return Deliveries.report
    }
    let publishing = Task { await publisher.run() }
    var removals = ends.makeAsyncIterator()
    #expect(await removals.next() == 1)
    publishing.cancel()
    await publishing.value
    #expect(sent.withLock { $0 } == [ProducerRecord(OutboxMessage(record))])
    await database.close()
  }
}
