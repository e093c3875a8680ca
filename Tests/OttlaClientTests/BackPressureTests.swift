import OttlaClient
import Synchronization
import TestServers
import Testing

@Suite struct BackPressureTests {
  @Test func aFullQueueRefusesOrWaits() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    var configuration = broker.producerConfiguration
    configuration.queueBufferingMaxMessages = 10
    configuration.lingerMs = 100
    let producer = try Producer(configuration)
    for number in 0..<10 { try producer.tryEnqueue(ProducerRecord(topic: "t", value: "\(number)")) }
    #expect(throws: ProducerError.queueFull) { try producer.tryEnqueue(ProducerRecord(topic: "t", value: "x")) }
    #expect(producer.waitingRecords == 10)
    // Who waits gets in as acknowledgements make room, from as many tasks as there are.
    try await within(.seconds(30)) {
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 10..<110 {
          group.addTask { _ = try await producer.send(ProducerRecord(topic: "t", value: "\(number)")) }
        }
        try await group.waitForAll()
      }
    }
    try await producer.close()
    #expect(try await broker.admin.listOffsets([TopicPartition("t", 0)], at: .latest) == [TopicPartition("t", 0): 110])
  }

  @Test func bytesCountToo() async throws {
    // Nobody listens there: what is taken stays.
    var configuration = ProducerConfiguration(bootstrapServers: "127.0.0.1:1")
    configuration.queueBufferingMaxKbytes = 100
    let producer = try Producer(configuration)
    var taken = 0
    while taken < 1000 {
      do throws(ProducerError) {
        try producer.tryEnqueue(ProducerRecord(topic: "t", value: [UInt8](repeating: 1, count: 10_000)))
        taken += 1
      } catch { break }
    }
    #expect((5...11).contains(taken), "\(taken)")
    // A task that waits for room can be cancelled, and has sent nothing.
    let waiting = Task {
      try await producer.enqueue(ProducerRecord(topic: "t", value: String(repeating: "x", count: 50_000)))
    }
    try await Task.sleep(for: .milliseconds(50))
    waiting.cancel()
    await #expect(throws: ProducerError.cancelled(mayArrive: false)) { try await waiting.value }
    await #expect(throws: ProducerError.notFlushed(remaining: taken)) {
      try await producer.close(within: .milliseconds(50))
    }
  }

  @Test func aTaskThatWaitsForItsAcknowledgementCanBeCancelled() async throws {
    let producer = try Producer(ProducerConfiguration(bootstrapServers: "127.0.0.1:1"))
    let sending = Task { try await producer.send(ProducerRecord(topic: "t", value: "x")) }
    try await Task.sleep(for: .milliseconds(50))
    sending.cancel()
    await #expect(throws: ProducerError.cancelled(mayArrive: true)) { try await sending.value }
    await #expect(throws: ProducerError.notFlushed(remaining: 1)) {
      try await producer.flush(within: .milliseconds(20))
    }
    await #expect(throws: ProducerError.notFlushed(remaining: 1)) { try await producer.close(within: .zero) }
  }

  /// librdkafka says how much waits in its queue; what the reader has taken is at most as much again.
  @Test func aSlowReaderHoldsNoMoreThanItsBudget() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    try await broker.produce(0..<20_000, to: "t", padding: 2000)
    let largest = Mutex(0)
    let reports = Mutex(0)
    var configuration = broker.consumerConfiguration()
    configuration.bufferedBytesMax = 4 << 20
    configuration.statisticsIntervalMs = 20
    configuration.onStatistics = { statistics in
      reports.withLock { $0 += 1 }
      for part in statistics.json.split(separator: "\"fetchq_size\":").dropFirst() {
        let size = Int(part.prefix { $0.isNumber }) ?? .max
        largest.withLock { $0 = max($0, size) }
      }
    }
    let consumer = try Consumer(configuration)
    try await consumer.assign([TopicPartition("t", 0): .earliest])
    var offsets: [Int64] = []
    try await within(.seconds(60)) { [offsets] in
      var offsets = offsets
      for try await record in consumer.records {
        offsets.append(record.offset)
        if offsets.count % 4000 == 1 { try await Task.sleep(for: .milliseconds(100)) }
        if offsets.count == 20_000 { break }
      }
      #expect(offsets == Array(0..<20_000))
    }
    offsets.removeAll()
    #expect(reports.withLock { $0 } > 5)
    // A quarter of the budget, and an answer that was on its way.
    let bytes = largest.withLock { $0 }
    #expect(bytes > 100_000 && bytes <= 2 << 20, "\(bytes)")
    try await consumer.close()
  }

  @Test func cancellingTheTaskEndsTheLoop() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    let consumer = try Consumer(broker.consumerConfiguration("g"))
    try await consumer.subscribe(to: ["t"])
    let reading = Task {
      var count = 0
      for try await _ in consumer.records { count += 1 }
      return count
    }
    try await Task.sleep(for: .milliseconds(100))
    reading.cancel()
    #expect(try await within(.seconds(5)) { try await reading.value } == 0)
    // The consumer is as good as before.
    try await broker.produce(0..<3, to: "t")
    #expect(try await take(3, from: consumer).count == 3)
    let other = Task { for try await _ in consumer.records {} }
    try await Task.sleep(for: .milliseconds(50))
    try await consumer.close()
    try await within(.seconds(5)) { try await other.value }
  }

  @Test func whatWasTakenGoesOutWhenTheBlockEnds() async throws {
    struct Stop: Error {}
    let broker = try TestBroker()
    try await broker.createTopic("t")
    var configuration = broker.producerConfiguration
    configuration.lingerMs = 60_000
    do {
      try await withProducer(configuration) { producer in
        for number in 0..<100 { try await producer.enqueue(ProducerRecord(topic: "t", value: "\(number)")) }
        throw Stop()
      }
      Issue.record("the error of the block was lost")
    } catch { #expect(error is Stop) }
    #expect(try await broker.admin.listOffsets([TopicPartition("t", 0)], at: .latest) == [TopicPartition("t", 0): 100])
  }
}
