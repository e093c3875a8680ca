import OttlaClient
import Synchronization
import TestServers
import Testing

@testable import OttlaErrorHandling

@Suite struct AcknowledgingConsumerTests {
  private struct Over: Error {}
  private final class Tally: Sendable {
    let held = Mutex<[ConsumerRecord]>([])
    let others = Mutex(0)
  }

  /// Backwards, ten at a time: only what has no gap before it is committed.
  @Test func recordsAreAcknowledgedInAnyOrder() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    try await broker.produce(0..<35, to: "t")
    let consumer = AcknowledgingConsumer(broker.processorConfiguration(), topics: ["t"])
    try await within(.seconds(60)) {
      try await consumer.run { records in
        var batch: [ConsumerRecord] = []
        var count = 0
        for await record in records {
          #expect(record.offset == Int64(count))
          batch.append(record)
          count += 1
          if batch.count == 10 {
            for record in batch.reversed() { #expect(consumer.acknowledge(record)) }
            batch = []
          }
          if count == 35 { break }
        }
        // Of 30 to 34, all but the first.
        for record in batch.dropFirst() { #expect(consumer.acknowledge(record)) }
        #expect(!consumer.acknowledge(batch[1]))
        try await until { try await broker.committed() == [0: 30] }
      }
    }
    #expect(try await broker.committed() == [0: 30])
  }

  /// At a full window its partition rests, and another goes on.
  @Test func theWindowIsTheLimit() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t", partitions: 2)
    try await broker.produce(0..<200, to: "t", partitions: 2)
    let consumer = AcknowledgingConsumer(broker.processorConfiguration(), topics: ["t"], windowRecordsMax: 20)
    let tally = Tally()
    await #expect(throws: Over.self) {
      try await within(.seconds(60)) {
        try await consumer.run { records in
          try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
              for await record in records {
                if record.partition == 0 {
                  tally.held.withLock { $0.append(record) }
                } else {
                  consumer.acknowledge(record)
                  tally.others.withLock { $0 += 1 }
                }
              }
            }
            group.addTask {
              try await until { tally.others.withLock { $0 == 100 } }
              try await Task.sleep(for: .milliseconds(300))
              #expect(tally.held.withLock { (20...21).contains($0.count) })
              let first = tally.held.withLock { $0 }
              for record in first { consumer.acknowledge(record) }
              try await until { tally.held.withLock { $0.count > first.count } }
              throw Over()
            }
            try await group.next()
          }
        }
      }
    }
  }

  @Test func whatIsRejectedGoesToTheErrorHandler() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    try await broker.createTopic("t.DLT")
    try await broker.produce(0..<3, to: "t")
    let journal = Journal()
    let consumer = AcknowledgingConsumer(
      broker.processorConfiguration(), topics: ["t"],
      errorHandler: ErrorHandler(backOff: .fixed(.milliseconds(20), retries: 1)), onEvent: journal.note)
    try await within(.seconds(60)) {
      try await consumer.run { records in
        for await record in records {
          journal.note(record)
          if record.offset == 1 {
            consumer.reject(record, ServiceAway(number: 1))
          } else {
            consumer.acknowledge(record)
          }
          if journal.values.count == 4 { break }
        }
        try await until { try await broker.committed() == [0: 3] }
      }
    }
    #expect(journal.values.filter { $0 == "1" }.count == 2 && journal.kinds == ["willRetry", "t.DLT-0"])
  }
}
