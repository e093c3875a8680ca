import OttlaClient
import OttlaJSON
import TestServers
import Testing

@testable import OttlaErrorHandling

@Suite struct RecordProcessorTests {
  private func settings(_ journal: Journal, concurrencyMax: Int = 4) -> ProcessingSettings {
    var settings = ProcessingSettings()
    settings.concurrencyMax = concurrencyMax
    settings.createsTopics = true
    settings.onEvent = journal.note
    return settings
  }

  /// Two retries, then the dead letter; records behind it follow, and other partitions do not wait.
  @Test func aPoisonRecordBecomesADeadLetter() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t", partitions: 2)
    try await broker.produce(0..<10, to: "t", partitions: 2)
    let journal = Journal()
    let processor = RecordProcessor(
      broker.processorConfiguration(), topics: ["t"],
      errorHandler: ErrorHandler(backOff: .fixed(.milliseconds(300), retries: 2)), settings: settings(journal)
    ) { record in
      journal.note(record)
      if record.valueText == "3" { throw ServiceAway(number: 0) }
    }
    try await running(processor) { try await until { journal.distinct == 10 } }
    #expect(journal.values(of: 1) == ["1", "3", "3", "3", "5", "7", "9"])
    #expect(journal.values(of: 0) == ["0", "2", "4", "6", "8"])
    let place = try #require(journal.values.lastIndex(of: "3"))
    #expect(try #require(journal.values.firstIndex(of: "8")) < place, "partition 0 has waited: \(journal.values)")
    #expect(journal.kinds == ["willRetry", "willRetry", "t.DLT-1"])
    #expect(try await broker.committed() == [0: 5, 1: 5])
    let letter = try #require(try await broker.records(of: "t.DLT", count: 1).first)
    #expect(letter.partition == 1 && letter.keyText == "3" && letter.valueText == "3")
    func text(_ name: String) -> String? { letter.header(name)?.text }
    #expect(text(FailureHeader.originalTopic) == "t" && text(FailureHeader.originalPartition) == "1")
    #expect(text(FailureHeader.originalOffset) == "1" && text(FailureHeader.group) == "g")
    #expect(text(FailureHeader.attempts) == "3" && text(FailureHeader.errorType)?.hasSuffix("ServiceAway") == true)
    #expect(text(FailureHeader.errorMessage) == "the service is away, for the 0. time")
    #expect(text(FailureHeader.originalTimestamp).flatMap { Int64($0) } ?? 0 > 1_600_000_000_000)
  }

  @Test func whatDoesNotDecodeIsNotTriedAgain() async throws {
    struct Order: Codable { let id: Int }
    let broker = try TestBroker()
    try await broker.createTopic("t")
    let producer = try Producer(broker.producerConfiguration)
    _ = try await producer.send(ProducerRecord(topic: "t", value: #"{"id":"#, headers: [Header("trace", "7")]))
    _ = try await producer.send(ProducerRecord(topic: "t", value: #"{"id":2}"#))
    try await producer.close()
    let journal = Journal()
    let processor = RecordProcessor(
      broker.processorConfiguration(), topics: ["t"], by: JSONCodec<Order>(), settings: settings(journal)
    ) { order, record in
      #expect(order.id == 2)
      journal.note(record)
    }
    try await running(processor) { try await until { journal.distinct == 1 } }
    #expect(journal.kinds == ["t.DLT-0"])
    let letter = try #require(try await broker.records(of: "t.DLT", count: 1).first)
    #expect(letter.header("trace")?.text == "7" && letter.valueText == #"{"id":"#)
    #expect(letter.header(FailureHeader.attempts)?.text == "1")
    #expect(letter.header(FailureHeader.errorMessage)?.text?.contains("does not decode") == true)
    #expect(try await broker.committed() == [0: 2])
  }

  @Test func whatFailsForAWhileIsDoneAndOrderHolds() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t", partitions: 3)
    try await broker.produce(0..<90, to: "t", partitions: 3)
    let journal = Journal()
    let processor = RecordProcessor(
      broker.processorConfiguration(), topics: ["t"],
      errorHandler: ErrorHandler(backOff: .exponential(from: .milliseconds(5), retries: 6, jitter: 0.5)),
      settings: settings(journal)
    ) { record in
      try journal.fail((Int(record.valueText ?? "") ?? 0) % 5, record.valueText ?? "")
      journal.note(record)
    }
    try await running(processor) { try await until { journal.distinct == 90 } }
    for partition in 0..<3 {
      #expect(journal.values(of: Int32(partition)) == stride(from: partition, to: 90, by: 3).map { "\($0)" })
    }
    #expect(Set(journal.kinds) == ["willRetry"])
    #expect(try await broker.committed() == [0: 30, 1: 30, 2: 30])
  }

  /// The second variant: nobody waits, each retry comes from its topic when it is due, then the dead letter.
  @Test func retriesOverTopicsHoldNobodyUp() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t", partitions: 2)
    try await broker.produce(0..<6, to: "t", partitions: 2)
    let journal = Journal()
    let handler = ErrorHandler(
      retryTopics: RetryTopics(.exponential(from: .milliseconds(400), retries: 3)),
      whenUsedUp: .deadLetter(DeadLetters(suffix: "-dlt")))
    let processor = RecordProcessor(
      broker.processorConfiguration(), topics: ["t"], errorHandler: handler, settings: settings(journal)
    ) { record in
      journal.note(record)
      if record.valueText == "1" { throw ServiceAway(number: 0) }
      if record.valueText == "2" { try journal.fail(1, "2") }
    }
    let began = ContinuousClock.now
    try await running(processor) { try await until { journal.kinds.contains("t-dlt-1") } }
    let took = ContinuousClock.now - began
    #expect(took > .milliseconds(2800), "\(took)")
    #expect(journal.values.filter { $0 == "1" }.count == 4 && journal.values.filter { $0 == "2" }.count == 2)
    #expect(journal.kinds.filter { $0 != "t-retry-0" } == ["t-retry-1", "t-retry-2", "t-dlt-1"])
    let place = try #require(
      journal.values.dropFirst(journal.values.firstIndex(of: "1").map { $0 + 1 } ?? 0).firstIndex(of: "1"))
    #expect(Set(journal.values.prefix(place)).count == 6, "somebody has waited: \(journal.values)")
    let letter = try #require(try await broker.records(of: "t-dlt", count: 1).first)
    #expect(letter.valueText == "1" && letter.header(FailureHeader.attempts)?.text == "4")
    #expect(letter.header(FailureHeader.originalTopic)?.text == "t")
    #expect(letter.header(FailureHeader.originalOffset)?.text == "0")
    #expect(try await broker.committed() == [0: 3, 1: 3])
    #expect(try await broker.committed("g", "t-retry-2") == [1: 1])
  }

  @Test func aBrokerThatIsKilledCostsNothing() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t", partitions: 2)
    try await broker.produce(0..<200, to: "t", partitions: 2)
    let journal = Journal()
    let processor = RecordProcessor(
      broker.processorConfiguration(), topics: ["t"],
      errorHandler: ErrorHandler(backOff: .fixed(.milliseconds(1), retries: 1)), settings: settings(journal)
    ) { record in
      try await Task.sleep(for: .milliseconds(10))
      journal.note(record)
      if let value = record.valueText.flatMap({ Int($0) }), value % 20 == 7 { throw ServiceAway(number: 0) }
    }
    try await running(processor) {
      try await until { journal.distinct > 40 }
      broker.kill()
      try await Task.sleep(for: .seconds(1))
      try broker.restart()
      try await until(.seconds(60)) {
        journal.distinct == 200 && journal.kinds.filter { $0.hasPrefix("t.DLT") }.count >= 10
      }
    }
    #expect(try await broker.committed() == [0: 100, 1: 100])
    let letters = try await broker.records(of: "t.DLT", count: 10)
    #expect(Set(letters.compactMap(\.valueText)) == Set(stride(from: 7, to: 200, by: 20).map { "\($0)" }))
  }

  /// The dead letter's topic is not there, and comes into being later: the record waits for it.
  @Test func aDeadLetterThatCannotBeWrittenIsNotDropped() async throws {
    let broker = try TestBroker(settings: ["auto.create.topics.enable=false"])
    try await broker.createTopic("t")
    try await broker.produce(0..<3, to: "t")
    let journal = Journal()
    var producing = broker.producerConfiguration
    producing.deliveryTimeoutMs = 1000
    producing.requestTimeoutMs = 500
    producing.other["topic.metadata.propagation.max.ms"] = "100"
    producing.other["topic.metadata.refresh.fast.interval.ms"] = "50"
    let producer = try Producer(producing)
    var settings = settings(journal)
    settings.createsTopics = false
    let processor = RecordProcessor(
      broker.processorConfiguration(), topics: ["t"], errorHandler: ErrorHandler(backOff: .none), settings: settings,
      producer: producer
    ) { record in
      journal.note(record)
      if record.valueText == "0" { throw ServiceAway(number: 0) }
    }
    try await running(processor) {
      try await until { journal.kinds.filter { $0 == "notWritten" }.count >= 2 }
      #expect(journal.values == ["0"])
      #expect(try await broker.committed().isEmpty)
      try await broker.createTopic("t.DLT")
      try await until { journal.distinct == 3 }
    }
    try await producer.close()
    #expect(try await broker.records(of: "t.DLT", count: 1).map(\.valueText) == ["0"])
    #expect(try await broker.committed() == [0: 3])
  }

  @Test func processingStopsWhereItIsToldTo() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    try await broker.produce(0..<5, to: "t")
    let journal = Journal()
    let processor = RecordProcessor(
      broker.processorConfiguration(), topics: ["t"], errorHandler: ErrorHandler(backOff: .none, whenUsedUp: .stop),
      settings: settings(journal)
    ) { record in
      if record.valueText == "2" { throw ServiceAway(number: 0) }
      journal.note(record)
    }
    let stopped = await #expect(throws: ProcessingStopped.self) {
      try await within(.seconds(30)) { try await processor.run() }
    }
    #expect(stopped?.offset == 2 && stopped?.attempts == 1 && journal.values == ["0", "1"])
    #expect(try await broker.committed() == [0: 2])
  }

  /// The password is wrong, say: the record waits where it is for a member that has the right one.
  @Test func anErrorThatIsNotTheRecordsEndsProcessing() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    try await broker.produce(0..<5, to: "t")
    let journal = Journal()
    let handler = ErrorHandler(
      judge: ErrorJudge().halting(ServiceAway.self), backOff: .fixed(.seconds(60), retries: 5))
    let processor = RecordProcessor(
      broker.processorConfiguration(), topics: ["t"], errorHandler: handler, settings: settings(journal)
    ) { record in
      if record.valueText == "2" { throw ServiceAway(number: 0) }
      journal.note(record)
    }
    let stopped = await #expect(throws: ProcessingStopped.self) {
      try await within(.seconds(30)) { try await processor.run() }
    }
    #expect(stopped?.offset == 2 && stopped?.attempts == 1 && journal.kinds == [])
    #expect(try await broker.committed() == [0: 2])
  }

  /// A handler that takes longer than a member may be silent, or without progress, keeps its partitions.
  @Test func aSlowHandlerStaysInItsGroup() async throws {
    let broker = try TestBroker(settings: ["group.min.session.timeout.ms=500"])
    try await broker.createTopic("t")
    try await broker.produce(0..<2, to: "t")
    let journal = Journal()
    let rebalances = Journal()
    var configuration = broker.processorConfiguration()
    configuration.sessionTimeoutMs = 1000
    configuration.other["max.poll.interval.ms"] = "1000"
    configuration.onRebalance = { if $0.kind != .assigned { rebalances.note(.readingInterrupted(.closed)) } }
    let processor = RecordProcessor(configuration, topics: ["t"], settings: settings(journal)) { record in
      try await Task.sleep(for: .milliseconds(1700))
      journal.note(record)
    }
    try await running(processor) {
      try await until { journal.distinct == 2 }
      #expect(rebalances.events.isEmpty)
    }
    #expect(journal.values == ["0", "1"])
  }

  /// A second member comes while a record waits for its retry: whoever has its partition then does it, and nothing is lost.
  @Test(arguments: [ConsumerConfiguration.AssignmentStrategy.range, .cooperativeSticky])
  func aRebalanceDuringARetryLosesNothing(_ strategy: ConsumerConfiguration.AssignmentStrategy) async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t", partitions: 4)
    try await broker.produce(0..<40, to: "t", partitions: 4)
    let journal = Journal()
    func processor() -> RecordProcessor {
      var configuration = broker.processorConfiguration()
      configuration.partitionAssignmentStrategy = [strategy]
      return RecordProcessor(
        configuration, topics: ["t"], errorHandler: ErrorHandler(backOff: .fixed(.seconds(2), retries: 3)),
        settings: settings(journal)
      ) { record in
        if record.offset == 5 { try journal.fail(1, record.valueText ?? "") }
        journal.note(record)
      }
    }
    let second = processor()
    try await running(processor()) {
      try await until { journal.kinds.count == 4 }
      try await running(second) {
        try await until { journal.distinct == 40 }
        try await broker.produce(40..<80, to: "t", partitions: 4)
        try await until { journal.distinct == 80 }
      }
    }
    #expect(Set(journal.kinds) == ["willRetry"])
    #expect(try await broker.committed() == [0: 20, 1: 20, 2: 20, 3: 20])
    for partition: Int32 in 0..<4 {
      let values = journal.values(of: partition)
      // Some may come twice, but those that are new come in their order.
      var seen: Set<String> = []
      let new = values.filter { seen.insert($0).inserted }
      #expect(new == new.sorted { (Int($0) ?? 0) < (Int($1) ?? 0) })
    }
  }

  @Test func whatDoesNotFitIsRefused() async throws {
    var configuration = ConsumerConfiguration(bootstrapServers: "127.0.0.1:1", groupId: "g")
    configuration.enableAutoCommit = false
    let manual = RecordProcessor(configuration, topics: ["t"]) { _ in }
    await #expect(throws: ClientError.self) { try await manual.run() }
    let alone = RecordProcessor(ConsumerConfiguration(bootstrapServers: "127.0.0.1:1"), topics: ["t"]) { _ in }
    await #expect(throws: ClientError.self) { try await alone.run() }
  }
}
