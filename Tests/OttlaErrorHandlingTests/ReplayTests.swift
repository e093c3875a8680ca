import OttlaClient
import TestServers
import Testing

@testable import OttlaErrorHandling

@Suite struct ReplayTests {
  /// Dead letters go back where they came from, as they were, and are done the second time.
  @Test func deadLettersGoBackToWhereTheyCameFrom() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t", partitions: 2)
    try await broker.produce(0..<10, to: "t", partitions: 2)
    let journal = Journal()
    var settings = ProcessingSettings()
    settings.createsTopics = true
    settings.onEvent = journal.note
    let processor = RecordProcessor(
      broker.processorConfiguration(), topics: ["t"], errorHandler: ErrorHandler(backOff: .none), settings: settings
    ) { record in
      // A service that is away once for each of these.
      if let value = record.valueText, ["2", "3", "7"].contains(value) { try journal.fail(1, value) }
      journal.note(record)
    }
    let producer = try Producer(broker.producerConfiguration)
    try await running(processor) {
      try await until { journal.kinds.count == 3 && journal.distinct == 7 }
      let replaying = broker.consumerConfiguration("replay")
      let first = try await DeadLetters.replay("t.DLT", replaying, by: producer, limit: 1) { $0.partition == 1 }
      #expect(first.replayedCount == 1)
      let rest = try await DeadLetters.replay("t.DLT", replaying, by: producer) { letter in
        letter.header(FailureHeader.errorType)?.text?.hasSuffix("ServiceAway") == true
      }
      #expect(rest.unknownCount == 0 && first.leftOutCount + rest.replayedCount == 2)
      let again = try await DeadLetters.replay("t.DLT", replaying, by: producer)
      #expect(again == DeadLetters.Replay())
      let alone = try await DeadLetters.replay("t.DLT", broker.consumerConfiguration(), by: producer) { _ in false }
      #expect(alone.leftOutCount == 3 && alone.replayedCount == 0)
      let expected = 7 + first.replayedCount + rest.replayedCount
      try await until { journal.distinct == expected }
    }
    try await producer.close()
    let records = try await broker.records(of: "t", count: 12)
    for record in records where record.offset >= 5 {
      #expect(record.headers.isEmpty && record.keyText == record.valueText)
      #expect(record.partition == Int32((Int(record.valueText ?? "") ?? 0) % 2))
    }
  }

  @Test func whatDoesNotSayWhereItCameFromStays() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t.DLT")
    try await broker.produce(0..<3, to: "t.DLT")
    let producer = try Producer(broker.producerConfiguration)
    let replay = try await DeadLetters.replay("t.DLT", broker.consumerConfiguration(), by: producer)
    #expect(replay.unknownCount == 3 && replay.replayedCount == 0)
    try await broker.createTopic("t")
    let moved = try await DeadLetters.replay("t.DLT", broker.consumerConfiguration(), by: producer, to: "t")
    #expect(moved.replayedCount == 3)
    try await producer.close()
    #expect(try await broker.records(of: "t", count: 3).count == 3)
  }
}
