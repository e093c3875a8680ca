import OttlaClient
import OttlaErrorHandling
import OttlaTesting
import ServiceSteps
import Synchronization
import TestServers
import Testing

@Suite struct ReadingTests {
  private struct Impossible: Error {}
  private struct Away: Error {}

  /// What a service was given, in order, each time that it was tried.
  private final class Journal: Sendable {
    private let entries = Mutex<[String]>([])
    var values: [String] { entries.withLock { $0 } }
    /// Returns how often `value` has come by now.
    @discardableResult func note(_ value: String) -> Int {
      entries.withLock { entries in
        entries.append(value)
        return entries.count { $0 == value }
      }
    }
  }

  private func produce(_ values: [[UInt8]], to broker: EmbeddedBroker) async throws {
    try await withProducer(ProducerConfiguration(bootstrapServers: broker.bootstrapServers)) { producer in
      for value in values {
        _ = try await producer.send(ProducerRecord(topic: "t", partition: 0, key: nil, value: value))
      }
    }
  }

  private func produce(_ values: String..., to broker: EmbeddedBroker) async throws {
    try await produce(values.map { Array($0.utf8) }, to: broker)
  }

  private func until(_ condition: @escaping @Sendable () async throws -> Bool) async throws {
    try await within(.seconds(30)) {
      while try await !condition() { try await Task.sleep(for: .milliseconds(10)) }
    }
  }

  /// Reads beside `body`, and ends in order then.
  private func reading(
    _ broker: EmbeddedBroker, _ handle: @escaping @Sendable (String) async throws -> Void,
    while body: () async throws -> Void
  ) async throws {
    let reading = Reading(
      topic: "t", group: "g", instance: "", bootstrap: broker.bootstrapServers, order: .partition, concurrencyMax: 1)
    let stopping = Stopping()
    let run = Task {
      try await reading.run(by: StringCodec(), judge: ErrorJudge().fatal(Impossible.self), until: stopping) {
        value, _ in
        try await handle(value)
      }
    }
    do { try await body() } catch {
      run.cancel()
      _ = await run.result
      throw error
    }
    stopping.begin()
    try await within(.seconds(30)) {
      try await withTaskCancellationHandler {
        try await run.value
      } onCancel: {
        run.cancel()
      }
    }
  }

  private func admin(_ broker: EmbeddedBroker) throws -> AdminClient {
    try AdminClient(AdminConfiguration(bootstrapServers: broker.bootstrapServers))
  }

  private func end(of topic: String, _ broker: EmbeddedBroker) async throws -> Int64? {
    let partition = TopicPartition(topic, 0)
    return try await admin(broker).listOffsets([partition], at: .latest)[partition]
  }

  private func records(of topic: String, count: Int, _ broker: EmbeddedBroker) async throws -> [ConsumerRecord] {
    let consumer = try Consumer(ConsumerConfiguration(bootstrapServers: broker.bootstrapServers))
    try await consumer.assign([TopicPartition(topic, 0): .earliest])
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

  @Test func whatNobodyCanHandleIsADeadLetterAndHoldsNothingUp() async throws {
    let broker = try await EmbeddedBroker.start()
    try await admin(broker).createTopic("t", partitions: 1)
    let unreadable: [UInt8] = [0xff]
    try await produce([Array("a".utf8), unreadable, Array("impossible".utf8), Array("b".utf8)], to: broker)
    let journal = Journal()
    try await reading(broker) { value in
      journal.note(value)
      if value == "impossible" { throw Impossible() }
    } while: {
      try await until { journal.values.last == "b" }
    }
    // Neither was tried twice.
    #expect(journal.values == ["a", "impossible", "b"])
    let letters = try await records(of: "t.DLT", count: 2, broker)
    #expect(letters.map(\.value) == [unreadable, Array("impossible".utf8)])
    #expect(letters.map { $0.header(FailureHeader.originalOffset)?.text } == ["1", "2"])
    #expect(letters.allSatisfy { $0.header(FailureHeader.group)?.text == "g" })
    #expect(try await end(of: "t.DLT", broker) == 2)
    await broker.stop()
  }

  @Test func whatFailsIsTriedAgainUntilItSucceeds() async throws {
    let broker = try await EmbeddedBroker.start()
    try await admin(broker).createTopic("t", partitions: 1)
    try await produce("a", "b", to: broker)
    let journal = Journal()
    try await reading(broker) { value in
      if journal.note(value) < 4, value == "a" { throw Away() }
    } while: {
      try await until { journal.values.last == "b" }
    }
    #expect(journal.values == ["a", "a", "a", "a", "b"])
    #expect(try await end(of: "t.DLT", broker) == 0)
    await broker.stop()
  }

  @Test func whatWasHandledBeforeTheEndDoesNotComeAgain() async throws {
    let broker = try await EmbeddedBroker.start()
    try await admin(broker).createTopic("t", partitions: 1)
    try await produce("0", "1", "2", to: broker)
    let (first, second) = (Journal(), Journal())
    try await reading(broker) {
      first.note($0)
    } while: {
      try await until { first.values.count == 3 }
    }
    #expect(try await admin(broker).committedOffsets(of: "g") == [TopicPartition("t", 0): 3])
    try await produce("3", to: broker)
    try await reading(broker) {
      second.note($0)
    } while: {
      try await until { !second.values.isEmpty }
    }
    #expect(first.values == ["0", "1", "2"] && second.values == ["3"])
    await broker.stop()
  }

  /// Services may start in any order: their topic need not be there yet.
  @Test func aTopicThatIsNotThereIsWaitedFor() async throws {
    let broker = try await EmbeddedBroker.start(properties: ["auto.create.topics.enable": "false"])
    let journal = Journal()
    try await reading(broker) {
      journal.note($0)
    } while: {
      try await admin(broker).createTopic("t", partitions: 1)
      try await produce("a", to: broker)
      try await until { journal.values == ["a"] }
    }
    await broker.stop()
  }

  @Test func itEndsWhileItWaitsToTryAgain() async throws {
    let broker = try await EmbeddedBroker.start()
    try await admin(broker).createTopic("t", partitions: 1)
    try await produce("a", "b", to: broker)
    let journal = Journal()
    try await reading(broker) { value in
      journal.note(value)
      throw Away()
    } while: {
      try await until { journal.values.count >= 2 }
    }
    // What has not succeeded is the next one's.
    let next = Journal()
    try await reading(broker) {
      next.note($0)
    } while: {
      try await until { next.values.count == 2 }
    }
    #expect(next.values == ["a", "b"])
    await broker.stop()
  }
}
