import OttlaClient
import Synchronization
import TestServers
import Testing

@testable import OttlaErrorHandling

/// What handlers were given, in their order, and what was told.
final class Journal: Sendable {
  private let entries = Mutex<[(partition: Int32, offset: Int64, value: String)]>([])
  private let told = Mutex<[ProcessingEvent]>([])
  private let failures = Mutex<[String: Int]>([:])

  func note(_ record: ConsumerRecord) {
    entries.withLock { $0.append((record.partition, record.offset, record.valueText ?? "null")) }
  }

  /// Throws the first `count` times that it is called for `value`.
  func fail(_ count: Int, _ value: String) throws {
    let number = failures.withLock { failures in
      failures[value, default: 0] += 1
      return failures[value] ?? 0
    }
    if number <= count { throw ServiceAway(number: number) }
  }

  var note: @Sendable (ProcessingEvent) -> Void { { event in self.told.withLock { $0.append(event) } } }
  var events: [ProcessingEvent] { told.withLock { $0 } }
  var values: [String] { entries.withLock { $0.map(\.value) } }
  var distinct: Int { Set(values).count }
  func values(of partition: Int32) -> [String] {
    entries.withLock { $0.filter { $0.partition == partition }.map(\.value) }
  }

  /// What was told, by its kind.
  var kinds: [String] {
    events.map { event in
      switch event {
      case .willRetry: "willRetry"
      case .sentToRetryTopic(_, let topic, _, _, _): topic
      case .deadLettered(_, let report, _, _): "\(report.topicPartition)"
      case .skipped: "skipped"
      case .notWritten: "notWritten"
      case .readingInterrupted: "interrupted"
      }
    }
  }
}

struct ServiceAway: Error, CustomStringConvertible {
  let number: Int
  var description: String { "the service is away, for the \(number). time" }
}

/// Waits for `condition`, and fails when it takes longer than `limit`.
func until(
  _ limit: Duration = .seconds(30), _ condition: @escaping @Sendable () async throws -> Bool
) async throws {
  try await within(limit) {
    while try await !condition() { try await Task.sleep(for: .milliseconds(20)) }
  }
}

/// Runs `processor` beside `body`, and ends it in order then.
func running(_ processor: RecordProcessor, _ body: () async throws -> Void) async throws {
  let run = Task { try await processor.run() }
  do {
    try await body()
  } catch {
    run.cancel()
    _ = await run.result
    throw error
  }
  processor.stop()
  try await within(.seconds(30)) {
    // Waiting for a task is not cancelled with the one who waits: the limit would be none.
    try await withTaskCancellationHandler {
      try await run.value
    } onCancel: {
      run.cancel()
    }
  }
}

extension TestBroker {
  /// All records of a topic that is not empty, in the order of each partition.
  func records(of topic: String, count: Int) async throws -> [ConsumerRecord] {
    let consumer = try Consumer(consumerConfiguration())
    let partitions = try await admin.describeTopic(topic).partitions.map { TopicPartition(topic, $0.partition) }
    try await consumer.assign(Dictionary(uniqueKeysWithValues: partitions.map { ($0, StartPosition.earliest) }))
    let records = try await within(.seconds(20)) {
      var records: [ConsumerRecord] = []
      for try await record in consumer.records {
        records.append(record)
        if records.count == count { break }
      }
      return records
    }
    try await consumer.close()
    return records
  }

  func processorConfiguration(_ group: String = "g") -> ConsumerConfiguration {
    var configuration = consumerConfiguration(group)
    configuration.autoCommitIntervalMs = 50
    return configuration
  }

  func committed(_ group: String = "g", _ topic: String = "t") async throws -> [Int32: Int64] {
    let offsets = try await admin.committedOffsets(of: group).filter { $0.key.topic == topic }
    return Dictionary(uniqueKeysWithValues: offsets.map { ($0.key.partition, $0.value) })
  }
}
