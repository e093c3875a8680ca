import Glibc
import Synchronization
import TestServers
import Testing

@testable import OttlaClient

@Suite struct HandfulTests {
  private final class Harm: Sendable {
    let isOver = Atomic<Bool>(false)
    let times = Atomic<Int>(0)
  }

  /// Another thread calls back what is at hand, again and again, while the loop takes from it.
  @Test func nothingIsLostOrDoubledWhenRecordsAreCalledBack() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t", partitions: 3)
    try await broker.produce(0..<60_000, to: "t", partitions: 3)
    let consumer = try Consumer(broker.consumerConfiguration())
    try await consumer.assign(
      Dictionary(uniqueKeysWithValues: (0..<3).map { (TopicPartition("t", $0), StartPosition.earliest) }))
    let harm = Harm()
    let reader = consumer.core.reader
    try LibraryThread.start {
      while !harm.isOver.load(ordering: .relaxed) {
        reader.callBack()
        harm.times.add(1, ordering: .relaxed)
      }
    }
    defer { harm.isOver.store(true, ordering: .relaxed) }
    try await within(.seconds(60)) {
      var next: [Int64] = [0, 0, 0]
      var count = 0
      for try await record in consumer.records {
        let partition = Int(record.partition)
        guard record.offset == next[partition] else {
          Issue.record("\(record.topicPartition) \(record.offset) instead of \(next[partition])")
          return
        }
        next[partition] += 1
        count += 1
        if count == 60_000 { break }
      }
      #expect(next == [20_000, 20_000, 20_000])
    }
    #expect(harm.times.load(ordering: .relaxed) > 100)
    harm.isOver.store(true, ordering: .relaxed)
    try await consumer.close()
  }

  /// glibc's `mallopt(M_PERTURB, byte)`, whose header is in no module.
  private func overwriteWhatIsFreed(with byte: Int32) {
    typealias Mallopt = @convention(c) (_ option: Int32, _ value: Int32) -> Int32
    guard let symbol = dlsym(nil, "mallopt") else { return }
    _ = unsafeBitCast(symbol, to: Mallopt.self)(-6, byte)
  }

  /// A message goes back to librdkafka when it is called back, and not while the loop still copies it.
  @Test func whatIsBeingCopiedIsNotGivenBack() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    let count = 100
    try await withProducer(broker.producerConfiguration) { producer in
      for number in 0..<count {
        let value = [UInt8](repeating: UInt8(number), count: 900_000)
        try await producer.enqueue(ProducerRecord(topic: "t", value: value))
      }
    }
    // Memory that is given back is overwritten at once.
    overwriteWhatIsFreed(with: 0xaa)
    defer { overwriteWhatIsFreed(with: 0) }
    // Each record is an answer of its own, whose memory goes with it.
    var configuration = broker.consumerConfiguration()
    configuration.bufferedBytesMax = 1 << 20
    let consumer = try Consumer(configuration)
    try await consumer.assign([TopicPartition("t", 0): .earliest])
    let harm = Harm()
    let reader = consumer.core.reader
    try LibraryThread.start {
      while !harm.isOver.load(ordering: .relaxed) { reader.callBack() }
    }
    defer { harm.isOver.store(true, ordering: .relaxed) }
    try await within(.seconds(60)) {
      var next = 0
      for try await record in consumer.records {
        let value = try #require(record.value)
        #expect(value.count == 900_000 && value.first == UInt8(next) && value.last == UInt8(next))
        next += 1
        if next == count { break }
      }
    }
    harm.isOver.store(true, ordering: .relaxed)
    try await consumer.close()
  }

  /// What is handed over without the lock counts as handed over, and all but the last as processed.
  @Test func theBookKnowsWhatWasTakenWithoutTheLock() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    try await broker.produce(0..<50, to: "t")
    let consumer = try Consumer(broker.consumerConfiguration("g"))
    try await consumer.subscribe(to: ["t"])
    let partition = TopicPartition("t", 0)
    var seen = 0
    for try await record in consumer.records {
      #expect(consumer.position(of: partition) == record.offset + 1)
      #expect(consumer.core.reader.withBook { $0.entries[0].processed } ?? 0 == record.offset)
      seen += 1
      if seen == 30 { break }
    }
    // A loop begun anew goes on behind it; the one at which the first was left is processed no sooner than the next one.
    var again = consumer.records.makeAsyncIterator()
    #expect(try await again.next()?.offset == 30)
    #expect(consumer.core.reader.withBook { $0.entries[0].processed } == 29)
    #expect(try await again.next()?.offset == 31)
    #expect(consumer.core.reader.withBook { $0.entries[0].processed } == 31)
    try await consumer.close()
  }

  /// A loop that never waits looks at its task's cancellation ten times a second.
  @Test func aLoopThatDoesNotWaitSeesThatItIsCancelled() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    try await broker.produce(0..<100, to: "t")
    let consumer = try Consumer(broker.consumerConfiguration())
    try await consumer.assign([TopicPartition("t", 0): .earliest])
    let harm = Harm()
    let reading = Task {
      for try await _ in consumer.records {
        harm.times.add(1, ordering: .relaxed)
        let until = ContinuousClock.now + .milliseconds(20)
        while ContinuousClock.now < until {}
      }
    }
    try await within(.seconds(20)) {
      while harm.times.load(ordering: .relaxed) < 3 { try await Task.sleep(for: .milliseconds(5)) }
    }
    reading.cancel()
    try await within(.seconds(10)) { try await reading.value }
    #expect(harm.times.load(ordering: .relaxed) < 90)
    try await consumer.close()
  }

  /// Most records have no headers, which is found without asking librdkafka; with headers or without, each kind of value has its own way.
  @Test(arguments: [Compression.none, .lz4])
  func headersComeWithTheirRecords(_ compression: Compression) async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    var configuration = broker.producerConfiguration
    configuration.compressionType = compression
    var sent: [ProducerRecord] = []
    let values: [[UInt8]?] = [nil, [], [0], Array(repeating: 7, count: 100), Array(repeating: 0, count: 5000)]
    for round in 0..<20 {
      for value in values {
        for count in [0, 1, 3, 70] {
          let headers = (0..<count).map { Header("h\($0)", $0 % 2 == 0 ? nil : [UInt8(round)]) }
          sent.append(ProducerRecord(topic: "t", key: round % 2 == 0 ? nil : [1], value: value, headers: headers))
        }
      }
    }
    try await withProducer(configuration) { producer in
      for record in sent { try await producer.enqueue(record) }
    }
    let consumer = try Consumer(broker.consumerConfiguration())
    try await consumer.assign([TopicPartition("t", 0): .earliest])
    let records = try await take(sent.count, from: consumer)
    #expect(zip(records, sent).allSatisfy { $0.headers == $1.headers && $0.value == $1.value && $0.key == $1.key })
    try await consumer.close()
  }

  @Test func batchesAreAsLongAsTheyMayBeAndCommitAsAWhole() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    try await broker.produce(0..<1000, to: "t")
    let consumer = try Consumer(broker.consumerConfiguration("g"))
    try await consumer.subscribe(to: ["t"])
    try await within(.seconds(30)) {
      var offsets: [Int64] = []
      var longest = 0
      for try await batch in consumer.batches(of: 300) {
        offsets += batch.map(\.offset)
        longest = max(longest, batch.count)
        #expect(consumer.core.reader.withBook { $0.entries[0].processed } ?? 0 == Int64(offsets.count - batch.count))
        if offsets.count == 1000 { break }
        try await Task.sleep(for: .milliseconds(100))
      }
      #expect(offsets == Array(0..<1000))
      #expect(longest > 128 && longest <= 300)
    }
    try await consumer.close()
  }
}
