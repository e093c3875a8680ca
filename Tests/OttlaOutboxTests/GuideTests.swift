import Foundation
import OttlaClient
import OttlaOutbox
import OttlaOutboxProducer
import OttlaSQL
import OttlaSQLite
import TestServers
import Testing

/// The examples of docs/sdk/outbox.md: what stands there stands here too, is compiled and is run.
@Suite struct GuideTests {
  private func send(_ message: OutboxMessage, headers: [OutboxMessage.Header]) async throws {}

  @Test func theExamplesOfTheGuideWork() async throws {
    let folder = try temporaryFolder("guide")
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let path = "\(folder)/shop.db"
    let name = "An"
    let email = "an@example.com"

    let database = SQLDatabase.sqlite(SQLiteOptions(path: path))
    let store = SQLOutboxStore(database)
    let outbox = Outbox(store)
    try await outbox.prepare()

    try await database.run("CREATE TABLE accounts (name TEXT NOT NULL, email TEXT NOT NULL UNIQUE)")
    try await database.run("CREATE TABLE statistics (message TEXT NOT NULL)")

    try await database.transaction { transaction in
      try await transaction.run("INSERT INTO accounts (name, email) VALUES (\(name), \(email))")
      try await outbox.add(
        OutboxMessage(topic: "statistic", key: email, text: "account of \(name) created"), in: transaction)
    }

    var settings = OutboxSettings()
    settings.interval = .seconds(1)
    settings.retention = .seconds(60)
    let publisher = OutboxPublisher(store, settings: settings) { event in
      if case .storeFailed(let reason) = event { print("outbox: \(reason)") }
    } publish: { message in
      try await send(message, headers: message.headersWithID)
    }
    let publishing = Task { await publisher.run() }

    while try await store.counts().unsent > 0 { try await Task.sleep(for: .milliseconds(5)) }

    publishing.cancel()
    await publishing.value

    let inbox = Inbox(database, consumer: "statisticGroup")
    try await inbox.prepare()

    let (id, text) = ("5f0c", "account of An created")
    for expected in [true, false] {
      let isNew = try await database.transaction { transaction in
        try await inbox.once(id, in: transaction) {
          try await transaction.run("INSERT INTO statistics (message) VALUES (\(text))")
        }
      }
      #expect(isNew == expected)
    }

    for (message, reason) in try await store.refused() {
      print("\(message.id) for \(message.topic) was refused: \(reason)")
      _ = try await store.retryRefused(id: message.id)
    }
    try await inbox.forget(olderThan: .seconds(14 * 24 * 3600))

    do {
      try await database.run("INSERT INTO accounts (name, email) VALUES (\(name), \(email))")
    } catch {
      switch error.kind {
      case .uniqueViolation: print("\(email) has an account already")
      case _ where error.isRetriable: print("later perhaps: \(error)")
      default: print("\(error)")
      }
    }
    await database.close()
  }

  @Test func aProducerPublishes() async throws {
    let database = SQLDatabase.sqlite(SQLiteOptions(path: ":memory:"))
    let store = SQLOutboxStore(database)
    try await store.prepare()
    let producer = try Producer(ProducerConfiguration(bootstrapServers: "127.0.0.1:1"))

    let publisher = OutboxPublisher(store, producer: producer) { event in
      if case .storeFailed(let reason) = event { print("outbox: \(reason)") }
    } onDelivery: { message, outcome in
      switch outcome {
      case .success(let report): print("\(message.id) is in \(report.topicPartition)")
      case .failure(let error): print("\(message.id) stays in the outbox: \(error)")
      }
    }

    let outcome = try await publisher.publishOnce()
    #expect(outcome == (sent: 0, failed: 0, refused: 0))
    try await producer.close(within: .seconds(10))
    await database.close()
  }

  @Test func everyExampleOfTheGuideStandsHere() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    func lines(_ text: some StringProtocol) -> [String] {
      text.components(separatedBy: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
    let here = lines(try String(contentsOf: URL(filePath: #filePath), encoding: .utf8)).joined(separator: "\n")
    let guide = try String(contentsOf: root.appending(path: "docs/sdk/outbox.md"), encoding: .utf8)
    let examples = guide.components(separatedBy: "```swift\n").dropFirst().compactMap {
      $0.components(separatedBy: "\n```").first
    }
    #expect(examples.count >= 6)
    for example in examples {
      let isHere = here.contains(lines(example).joined(separator: "\n"))
      #expect(isHere, "not compiled: \(example)")
    }
  }
}
