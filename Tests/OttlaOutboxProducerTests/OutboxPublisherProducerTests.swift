import OttlaOutbox
import OttlaSQL
import OttlaSQLite
import Synchronization
import Testing

@testable import OttlaClient
@testable import OttlaOutboxProducer

/// What a broker answers in these tests.
enum Deliveries {
  static let report = DeliveryReport(topicPartition: TopicPartition("t", 0), offset: 7, timestamp: 5)
}

@Suite struct OutboxPublisherProducerTests {
  private let database = SQLDatabase.sqlite(SQLiteOptions(path: ":memory:"))
  private var store: SQLOutboxStore { SQLOutboxStore(database) }

  private func add(_ ids: String...) async throws {
    try await store.prepare()
    let outbox = Outbox(store)
    for id in ids {
      try await database.transaction { transaction in
        _ = try await outbox.add(OutboxMessage(id: id, topic: "t", key: nil, text: id), in: transaction)
      }
    }
  }

  /// What was told of a message: its offset, or the error.
  private final class Told: Sendable {
    private let outcomes = Mutex<[String: String]>([:])
    var all: [String: String] { outcomes.withLock { $0 } }
    func note(_ message: OutboxMessage, _ outcome: Result<DeliveryReport, ProducerError>) {
      outcomes.withLock { outcomes in
        switch outcome {
        case .success(let report): outcomes[message.id] = "\(report.offset ?? -1)"
        case .failure(let error): outcomes[message.id] = "\(error)"
        }
      }
    }
  }

  private func publisher(
    _ told: Told = Told(), endingWait: Duration = .zero,
    send: @escaping @Sendable (ProducerRecord) async throws(ProducerError) -> DeliveryReport
  ) -> OutboxPublisher<SQLOutboxStore> {
    OutboxPublisher(
      store, settings: OutboxSettings(), endingWait: endingWait, onEvent: { _ in }, onDelivery: told.note, send: send)
  }

  @Test func eachRecordIsToldAndWhatNobodyTakesIsSetAside() async throws {
    try await add("fine", "large", "away")
    let told = Told()
    let outcome = try await publisher(told) { (record) throws(ProducerError) in
      switch record.headers.first(where: { $0.name == OutboxMessage.idHeader })?.text {
      case "large": throw .rejected(.messageTooLarge(reason: "9 MB"))
      case "away": throw .notDelivered(.timedOut(operation: "delivery", reason: "30 s"), mayArrive: true)
      default: return Deliveries.report
      }
    }.publishOnce()
    #expect(outcome == (sent: 1, failed: 1, refused: 1))
    #expect(told.all["fine"] == "7" && told.all["large"]?.contains("9 MB") == true && told.all.count == 3)
    #expect(try await store.counts() == (1, 1))
    #expect(try await store.refused().map(\.message.id) == ["large"])
  }

  @Test(arguments: [
    (ProducerError.rejected(.messageTooLarge(reason: "")), true),
    (.notDelivered(.messageTooLarge(reason: ""), mayArrive: false), true),
    (.rejected(.invalidValue(property: "p", value: "v", reason: "r")), true),
    (.rejected(.unknownTopic("t")), false), (.notDelivered(.unknownTopic("t"), mayArrive: false), false),
    (.queueFull, false), (.closed, false), (.cancelled(mayArrive: true), false),
    (.notDelivered(.authorizationFailed(operation: "Write", code: 29, name: "DENIED"), mayArrive: false), false),
  ])
  func onlyTheRecordsOwnFaultIsForever(_ error: ProducerError, _ isForever: Bool) {
    #expect(error.isForever == isForever)
  }

  /// An answer that is on its way when the publisher is cancelled is written down: the message is not sent again.
  @Test func whatIsOnItsWayIsWaitedFor() async throws {
    try await add("slow")
    let (begun, begin) = AsyncStream.makeStream(of: Void.self)
    let publisher = publisher(endingWait: .seconds(60)) { (record) throws(ProducerError) in
      begin.yield()
      do { try await Task.sleep(for: .milliseconds(200)) } catch { throw .cancelled(mayArrive: true) }
      return Deliveries.report
    }
    let publishing = Task { await publisher.run() }
    for await _ in begun { break }
    publishing.cancel()
    await publishing.value
    #expect(try await store.counts().unsent == 0)
  }

  @Test func butNotForEver() async throws {
    try await add("lost")
    let (begun, begin) = AsyncStream.makeStream(of: Void.self)
    let publisher = publisher(endingWait: .milliseconds(50)) { (record) throws(ProducerError) in
      begin.yield()
      do { try await Task.sleep(for: .seconds(600)) } catch { throw .cancelled(mayArrive: true) }
      return Deliveries.report
    }
    let publishing = Task { await publisher.run() }
    for await _ in begun { break }
    publishing.cancel()
    await publishing.value
    #expect(try await store.counts().unsent == 1)
  }
}
