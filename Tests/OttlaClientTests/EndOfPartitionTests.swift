import OttlaClient
import TestServers
import Testing

/// When all that was in a partition is handed over, and what the end does not mean.
@Suite struct EndOfPartitionTests {
  private let partition = TopicPartition("t", 0)

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

  /// Reading begins anew with each assignment, also of a partition that was read to its end before, and while a loop waits.
  @Test(arguments: [StartPosition.earliest, .latest, .offset(10), .offset(4)])
  func theEndIsMetAgainAfterAnotherAssignment(_ position: StartPosition) async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    try await broker.produce(0..<10, to: "t")
    // The end is met when a broker has waited in vain for more.
    var configuration = broker.consumerConfiguration()
    configuration.fetchMaxWaitMs = 20
    let consumer = try Consumer(configuration)
    try await consumer.assign([partition: .earliest])
    let reading = Task { for try await _ in consumer.records {} }
    try await untilTheEnd(of: consumer)
    for _ in 0..<10 {
      try await consumer.assign([partition: position])
      try await untilTheEnd(of: consumer)
    }
    try await consumer.close()
    try await reading.value
  }

  private func untilTheEnd(of consumer: Consumer) async throws {
    try await within(.seconds(20)) { [partition] in
      while !consumer.hasReachedEnd(of: partition) { try await Task.sleep(for: .milliseconds(10)) }
    }
  }
}
