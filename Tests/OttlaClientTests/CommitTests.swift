import OttlaClient
import TestServers
import Testing

@Suite struct CommitTests {
  private let partition = TopicPartition("t", 0)

  private func texts(_ range: Range<Int>) -> [String?] { range.map { "\($0)" } }

  /// The record at which a loop was left is not processed: it comes again.
  @Test func whatWasNotProcessedComesAgain() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    try await broker.produce(0..<20, to: "t")
    let first = try Consumer(broker.consumerConfiguration("g"))
    try await first.subscribe(to: ["t"])
    #expect(try await take(5, from: first).map(\.valueText) == texts(0..<5))
    try await first.close()
    #expect(try await broker.admin.committedOffsets(of: "g") == [partition: 4])
    let second = try Consumer(broker.consumerConfiguration("g"))
    try await second.subscribe(to: ["t"])
    let records = try await take(16, from: second)
    #expect(records.map(\.valueText) == texts(4..<20))
    let last = try #require(records.last)
    try second.store(last)
    try await second.close()
    #expect(try await broker.admin.committedOffsets(of: "g") == [partition: 20])
  }

  @Test func committingByHandIsWhatCounts() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    try await broker.produce(0..<20, to: "t")
    var configuration = broker.consumerConfiguration("g")
    configuration.enableAutoCommit = false
    let consumer = try Consumer(configuration)
    try await consumer.subscribe(to: ["t"])
    let records = try await take(10, from: consumer)
    #expect(try await consumer.committed([partition]) == [:])
    try await consumer.commit(records[2])
    #expect(try await consumer.committed([partition]) == [partition: 3])
    try await consumer.commit()
    #expect(try await consumer.committed([partition]) == [partition: 10])
    try await consumer.commit([partition: 7])
    try await consumer.close()
    #expect(try await broker.admin.committedOffsets(of: "g") == [partition: 7])
    await #expect(throws: ClientError.closed) { try await consumer.commit([partition: 1]) }
  }

  @Test func withoutAutomaticStoringOnlyStoreSaysThatARecordIsProcessed() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    try await broker.produce(0..<10, to: "t")
    var configuration = broker.consumerConfiguration("g")
    configuration.enableAutoOffsetStore = false
    let consumer = try Consumer(configuration)
    try await consumer.subscribe(to: ["t"])
    let records = try await take(9, from: consumer)
    try consumer.store(records[5])
    try consumer.store(records[3])
    try await consumer.close()
    #expect(try await broker.admin.committedOffsets(of: "g") == [partition: 6])
  }

  /// Else a group that found nothing to read would begin at the end again, past what came in between.
  @Test func aGroupThatFoundNothingComesBackToWhereItWas() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    try await broker.produce(0..<3, to: "t")
    var configuration = broker.consumerConfiguration("g")
    configuration.autoOffsetReset = .latest
    configuration.autoCommitIntervalMs = 50
    let consumer = try Consumer(configuration)
    try await consumer.subscribe(to: ["t"])
    let admin = try broker.admin
    // It has to ask for records to find that there are none.
    let reading = Task { for try await _ in consumer.records {} }
    try await within(.seconds(20)) {
      while try await admin.committedOffsets(of: "g").isEmpty { try await Task.sleep(for: .milliseconds(50)) }
    }
    try await consumer.close()
    try await reading.value
    #expect(try await admin.committedOffsets(of: "g") == [partition: 3])
  }

  /// Records that rest are not processed because the end behind them was seen.
  @Test func theEndOfAPartitionThatRestsIsNoPlaceToCommit() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t", partitions: 2)
    try await broker.produce(0..<20, to: "t", partitions: 2)
    let consumer = try Consumer(broker.consumerConfiguration("g"))
    try await consumer.subscribe(to: ["t"])
    try await within(.seconds(30)) {
      while consumer.assignment.count < 2 { try await Task.sleep(for: .milliseconds(20)) }
    }
    // All is in the library's queue by then, the ends too.
    try await Task.sleep(for: .milliseconds(700))
    let reading = Task {
      var partitions: [Int32] = []
      for try await record in consumer.records {
        if partitions.isEmpty { try consumer.pause([TopicPartition("t", 1 - record.partition)]) }
        partitions.append(record.partition)
      }
      return partitions
    }
    try await Task.sleep(for: .milliseconds(500))
    reading.cancel()
    let partitions = try await reading.value
    let first = try #require(partitions.first)
    #expect(partitions == Array(repeating: first, count: 10))
    try await consumer.close()
    #expect(try await broker.admin.committedOffsets(of: "g") == [TopicPartition("t", first): 10])
  }

  @Test func seekingGoesBackAndForwardAndForgetsWhatWasTaken() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    try await broker.produce(0..<1000, to: "t")
    let consumer = try Consumer(broker.consumerConfiguration("g"))
    try await consumer.subscribe(to: ["t"])
    try await within(.seconds(30)) {
      var target: [Int64: Int64] = [10: 5, 700: 20, 701: 990]
      var positions: [Int64] = []
      for try await record in consumer.records {
        positions.append(record.offset)
        if let next = target.removeValue(forKey: record.offset) {
          try await consumer.seek(record.topicPartition, to: .offset(next))
        }
        if record.offset == 999 { break }
      }
      let expected = Array(0...10) + Array(5...700) + Array(20...701) + Array(990...999)
      #expect(positions == expected.map(Int64.init))
    }
    try await consumer.close()
    #expect(try await broker.admin.committedOffsets(of: "g") == [partition: 999])
  }

  @Test func pausedPartitionsRestAndLoseNothing() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t", partitions: 2)
    try await broker.produce(0..<2000, to: "t", partitions: 2)
    let consumer = try Consumer(broker.consumerConfiguration())
    try await consumer.assign([TopicPartition("t", 0): .earliest, TopicPartition("t", 1): .earliest])
    let resting = TopicPartition("t", 1)
    try await within(.seconds(30)) {
      var offsets: [[Int64]] = [[], []]
      var isResumed = false
      for try await record in consumer.records {
        offsets[Int(record.partition)].append(record.offset)
        if offsets[0].count + offsets[1].count == 10 {
          try consumer.pause([resting])
          #expect(consumer.paused == [resting])
          isResumed = false
        }
        if !isResumed, !consumer.paused.isEmpty, offsets[0].count == 1000 {
          #expect(offsets[1].count <= 10)
          try consumer.resume([resting])
          isResumed = true
        }
        if offsets[0].count == 1000, offsets[1].count == 1000 { break }
      }
      #expect(offsets[0] == Array(0..<1000))
      #expect(offsets[1] == Array(0..<1000))
    }
    try await consumer.close()
  }

  @Test func positionsAreLookedUp() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    let producer = try Producer(broker.producerConfiguration)
    for number in 1...10 {
      _ = try await producer.send(ProducerRecord(topic: "t", value: "v", timestamp: Int64(number) * 1000))
    }
    try await producer.close()
    let consumer = try Consumer(broker.consumerConfiguration())
    #expect(try await consumer.watermarkOffsets(of: partition) == 0..<10)
    #expect(try await consumer.offsetsForTimes([partition: 4500]) == [partition: 4])
    await #expect(throws: ClientError.self) { try await consumer.watermarkOffsets(of: TopicPartition("t", 9)) }
    await #expect(throws: ClientError.self) { try await consumer.subscribe(to: ["t"]) }
    try await consumer.close()
  }
}
