import Foundation
import OttlaClient
import OttlaErrorHandling
import OttlaJSON
import Synchronization
import TestServers
import Testing

/// The examples of docs/sdk/errors.md: what stands there stands here too, is compiled and is run.
@Suite struct GuideTests {
  private struct Notification: Codable { let to: String }
  private struct InvalidAddress: Error {}
  private struct MailError: Error { let isPermanent: Bool }
  private final class Mailer: Sendable {
    let sent = Mutex<[String]>([])
    let isAway = Mutex(true)
    func send(_ notification: Notification) async throws {
      if notification.to == "later", isAway.withLock({ $0 }) { throw MailError(isPermanent: true) }
      sent.withLock { $0.append(notification.to) }
    }
  }
  private actor Database {
    private(set) var rowsCount = 0
    var isFull: Bool { rowsCount >= 200 }
    func insert(_ records: [ConsumerRecord]) throws { rowsCount += records.count }
  }
  private struct Store: UndeliveredStore { func keep(_ record: UndeliveredRecord) async throws {} }

  @Test func notificationsAreSentOrWaitAsDeadLetters() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("notification", partitions: 2)
    let servers = broker.bootstrapServers
    let mailer = Mailer()
    let producer = try Producer(broker.producerConfiguration)

    var configuration = ConsumerConfiguration(bootstrapServers: servers, groupId: "notificationGroup")
    configuration.autoOffsetReset = .earliest
    var settings = ProcessingSettings()
    settings.createsTopics = true
    let processor = RecordProcessor(
      configuration, topics: ["notification"], by: JSONCodec<Notification>(),
      errorHandler: ErrorHandler(backOff: .fixed(.seconds(1), retries: 2)), settings: settings
    ) { notification, record in
      try await mailer.send(notification)
    }
    let processing = Task { try await processor.run() }

    for name in ["an", "later", "binh"] {
      _ = try await producer.send(Notification(to: name), to: "notification")
    }
    let admin = try broker.admin
    try await until { try await admin.listTopics().contains("notification.DLT") }
    _ = try await broker.records(of: "notification.DLT", count: 1)
    mailer.isAway.withLock { $0 = false }

    let replaying = broker.consumerConfiguration("replay")
    let replay = try await DeadLetters.replay("notification.DLT", replaying, by: producer, limit: 100) { letter in
      letter.header(FailureHeader.errorType)?.text?.hasSuffix("MailError") == true
    }
    print("\(replay.replayedCount) are on their way again, \(replay.leftOutCount) stay")

    try await until { mailer.sent.withLock { Set($0) == ["an", "binh", "later"] } }

    processor.stop()
    try await processing.value

    let store = Store()
    let storing = StoringProducer(producer, fallingBackTo: store)
    switch try await storing.send(UndeliveredRecord(id: "order-17-paid", topic: "orders", value: Array("paid".utf8))) {
    case .delivered(let report): print("partition \(report.partition)")
    case .kept(let error): print("is sent later: \(error)")
    }
    try await producer.close()
  }

  @Test func ordersAreWrittenInBatches() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("orders")
    try await broker.produce(0..<250, to: "orders")
    let configuration = broker.processorConfiguration()
    let database = Database()
    try await within(.seconds(60)) {
      let consumer = AcknowledgingConsumer(configuration, topics: ["orders"])
      try await consumer.run { records in
        var batch: [ConsumerRecord] = []
        for await record in records {
          batch.append(record)
          guard batch.count == 100 else { continue }
          try await database.insert(batch)
          for record in batch { consumer.acknowledge(record) }
          batch = []
          if await database.isFull { break }
        }
      }
    }
    #expect(try await broker.committed("g", "orders") == [0: 200])
  }

  @Test func handlersAreAsTheyAreSaid() {
    let judge = ErrorJudge().fatal(InvalidAddress.self).judging { error in
      (error as? MailError)?.isPermanent == true ? .fatal : nil
    }
    let handler = ErrorHandler(
      judge: judge, backOff: .exponential(from: .milliseconds(500), upTo: .seconds(30), retries: 8, jitter: 0.2),
      whenUsedUp: .stop)
    #expect(handler.judge.kind(of: InvalidAddress()) == .fatal && handler.backOff.retriesMax == 8)

    let unhurried = ErrorHandler(
      retryTopics: RetryTopics(.exponential(from: .seconds(2), retries: 4)),
      whenUsedUp: .deadLetter(DeadLetters(suffix: "-dlt")))
    #expect(unhurried.retryTopics?.name("notification", 3) == "notification-retry-3")

    var settings = ProcessingSettings()
    settings.order = .key
    settings.concurrencyMax = 16
    settings.windowRecordsMax = 1000
    #expect(settings.revokeWait == .seconds(5))
  }

  @Test func everyExampleOfTheGuideStandsHere() throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    func lines(_ text: some StringProtocol) -> [String] {
      text.components(separatedBy: "\n").map { $0.trimmingCharacters(in: .whitespaces) }.filter { !$0.isEmpty }
    }
    let here = lines(try String(contentsOf: URL(filePath: #filePath), encoding: .utf8)).joined(separator: "\n")
    let guide = try String(contentsOf: root.appending(path: "docs/sdk/errors.md"), encoding: .utf8)
    let examples = guide.components(separatedBy: "```swift\n").dropFirst().compactMap {
      $0.components(separatedBy: "\n```").first
    }
    #expect(examples.count >= 8)
    for example in examples {
      let isHere = here.contains(lines(example).joined(separator: "\n"))
      #expect(isHere, "not compiled: \(example)")
    }
  }
}
