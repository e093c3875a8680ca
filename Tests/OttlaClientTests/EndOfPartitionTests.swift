import OttlaClient
import Synchronization
import Testing

/// When all that was in a partition is handed over, and what the end does not mean.
@Suite struct EndOfPartitionTests {
  private let partition = TopicPartition("t", 0)

  /// What librdkafka last said of itself.
  private final class Gauge: Sendable {
    private let last = Mutex("")

    func note(_ statistics: Statistics) { last.withLock { $0 = statistics.json } }

    /// Waits until so many messages of partition 0 wait in the library: the records, and the end behind them.
    func wait(forWaiting counts: ClosedRange<Int>) async throws {
      try await within(.seconds(20)) {
        while true {
          let numbers = self.last.withLock { $0 }.matches(of: /"fetchq_cnt":(\d+)/).compactMap { Int($0.1) }
          if numbers.contains(where: counts.contains), numbers.allSatisfy({ $0 == 0 || counts.contains($0) }) { return }
          try await Task.sleep(for: .milliseconds(10))
        }
      }
    }
  }

  /// A member whose partition rests, and with it the ten records and the end that the reading task has found.
  private func restingMember(_ broker: TestBroker) async throws -> (Consumer, Task<[Int64], any Error>) {
    try await broker.createTopic("t")
    try await broker.produce(0..<10, to: "t")
    let gauge = Gauge()
    var configuration = broker.consumerConfiguration("g")
    configuration.statisticsIntervalMs = 20
    configuration.onStatistics = { gauge.note($0) }
    let consumer = try Consumer(configuration)
    try await consumer.subscribe(to: ["t"])
    try await gauge.wait(forWaiting: 11...11)
    try consumer.pause([partition])
    let reading = Task {
      var offsets: [Int64] = []
      for try await record in consumer.records { offsets.append(record.offset) }
      return offsets
    }
    try await gauge.wait(forWaiting: 0...0)
    return (consumer, reading)
  }

  @Test func theEndComesBehindTheRecordsThatRestBeforeIt() async throws {
    let broker = try TestBroker()
    let (consumer, reading) = try await restingMember(broker)
    #expect(!consumer.hasReachedEnd(of: partition))
    try consumer.resume([partition])
    try await untilTheEnd(of: consumer)
    try await consumer.close()
    #expect(try await reading.value == Array(0..<10))
    #expect(try await broker.admin.committedOffsets(of: "g") == [partition: 10])
  }

  @Test func recordsThatRestAreNotCommittedAway() async throws {
    let broker = try TestBroker()
    let (consumer, reading) = try await restingMember(broker)
    try await consumer.close()
    #expect(try await reading.value.isEmpty)
    #expect(try await broker.admin.committedOffsets(of: "g") == [:])
  }

  @Test func theEndIsReachedWhenTheLastRecordIsDone() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t", partitions: 2)
    try await broker.produce(0..<20, to: "t", partitions: 2)
    let consumer = try Consumer(broker.consumerConfiguration())
    try await consumer.assign([partition: .earliest])
    try await within(.seconds(20)) { [partition] in
      for try await record in consumer.records where record.offset == 9 { break }
      // The record at hand is not done: nobody has asked for the next one.
      #expect(!consumer.hasReachedEnd(of: partition))
    }
    let reading = Task { for try await _ in consumer.records {} }
    try await untilTheEnd(of: consumer)
    #expect(!consumer.hasReachedEnd(of: TopicPartition("t", 1)))
    try await consumer.close()
    try await reading.value
  }

  private func untilTheEnd(of consumer: Consumer) async throws {
    try await within(.seconds(20)) { [partition] in
      while !consumer.hasReachedEnd(of: partition) { try await Task.sleep(for: .milliseconds(10)) }
    }
  }
}
