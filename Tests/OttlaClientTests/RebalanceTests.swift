import OttlaClient
import Synchronization
import TestServers
import Testing

@Suite struct RebalanceTests {
  /// What members were told, and what they read.
  private final class Journal: Sendable {
    let entries = Mutex<[String]>([])
    let seen = Mutex<[String: Int]>([:])

    func note(_ member: String, _ rebalance: Rebalance) {
      entries.withLock { $0.append("\(member) \(rebalance.kind.rawValue) \(rebalance.partitions.count)") }
    }
    func read(_ record: ConsumerRecord) { seen.withLock { $0[record.valueText ?? "", default: 0] += 1 } }
    var distinct: Int { seen.withLock { $0.count } }
  }

  private func member(
    _ name: String, _ broker: TestBroker, _ strategy: ConsumerConfiguration.AssignmentStrategy, _ journal: Journal
  ) throws -> Consumer {
    var configuration = broker.consumerConfiguration("g")
    configuration.clientId = name
    configuration.partitionAssignmentStrategy = [strategy]
    configuration.onRebalance = { journal.note(name, $0) }
    return try Consumer(configuration)
  }

  private func reading(_ consumer: Consumer, _ journal: Journal) -> Task<Void, any Error> {
    Task { for try await record in consumer.records { journal.read(record) } }
  }

  private func until(_ condition: @escaping @Sendable () async throws -> Bool) async throws {
    try await within(.seconds(30)) {
      while try await !condition() { try await Task.sleep(for: .milliseconds(20)) }
    }
  }

  @Test(arguments: [ConsumerConfiguration.AssignmentStrategy.range, .cooperativeSticky])
  func membersShareAndTakeOver(_ strategy: ConsumerConfiguration.AssignmentStrategy) async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t", partitions: 4)
    let journal = Journal()
    let first = try member("one", broker, strategy, journal)
    try await first.subscribe(to: ["t"])
    let firstReading = reading(first, journal)
    try await until { first.assignment.count == 4 }
    try await broker.produce(0..<400, to: "t", partitions: 4)
    try await until { journal.distinct == 400 }

    let second = try member("two", broker, strategy, journal)
    try await second.subscribe(to: ["t"])
    let secondReading = reading(second, journal)
    try await until { first.assignment.count == 2 && second.assignment.count == 2 }
    #expect(Set(first.assignment).isDisjoint(with: second.assignment))
    try await broker.produce(400..<800, to: "t", partitions: 4)
    try await until { journal.distinct == 800 }
    // Orderly moves double nothing: what was processed was committed before.
    #expect(journal.seen.withLock { $0.values.allSatisfy { $0 == 1 } })

    try await first.close()
    try await firstReading.value
    try await until { second.assignment.count == 4 }
    try await broker.produce(800..<1200, to: "t", partitions: 4)
    try await until { journal.distinct == 1200 }
    try await second.close()
    try await secondReading.value
    #expect(journal.seen.withLock { $0.values.allSatisfy { $0 == 1 } })
    let told = journal.entries.withLock { $0 }
    if strategy == .cooperativeSticky {
      #expect(told.contains("one revoked 2") && !told.prefix { $0 != "two assigned 2" }.contains("one revoked 4"))
    } else {
      #expect(told.contains("one revoked 4") && told.contains("one assigned 2"))
    }
    #expect(told.last?.hasPrefix("two revoked") == true, "\(told)")
  }

  /// The group is served while the reader sleeps, far beyond the time in which a member must show progress.
  @Test func aSlowReaderStaysInItsGroup() async throws {
    let broker = try TestBroker(settings: ["group.min.session.timeout.ms=500"])
    try await broker.createTopic("t")
    try await broker.produce(0..<3, to: "t")
    let journal = Journal()
    var configuration = broker.consumerConfiguration("g")
    configuration.sessionTimeoutMs = 1000
    configuration.other["max.poll.interval.ms"] = "1000"
    configuration.onRebalance = { journal.note("slow", $0) }
    let consumer = try Consumer(configuration)
    try await consumer.subscribe(to: ["t"])
    var count = 0
    for try await record in consumer.records {
      journal.read(record)
      if count == 0 {
        try await Task.sleep(for: .seconds(3))
        // Whoever does not poll is not told either that the group has gone on without him: the group is asked.
        #expect(try await broker.admin.describeGroup("g").members.count == 1)
      }
      count += 1
      if count == 3 { break }
    }
    #expect(journal.entries.withLock { $0 } == ["slow assigned 1"])
    try await consumer.close()
  }

  @Test func aRecordOfALostPartitionCannotBeCommitted() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    try await broker.produce(0..<3, to: "t")
    let consumer = try Consumer(broker.consumerConfiguration("g"))
    try await consumer.subscribe(to: ["t"])
    let record = try #require(try await take(1, from: consumer).first)
    try await consumer.unsubscribe()
    try await until { consumer.assignment.isEmpty }
    await #expect(throws: ClientError.partitionLost(TopicPartition("t", 0))) { try await consumer.commit(record) }
    #expect(throws: ClientError.partitionLost(TopicPartition("t", 0))) { try consumer.store(record) }
    try await consumer.close()
  }

  /// What the listener commits counts, and where it says to begin is where reading begins.
  @Test func theListenerCommitsAndSeeks() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    try await broker.produce(0..<10, to: "t")
    var configuration = broker.consumerConfiguration("g")
    configuration.enableAutoCommit = false
    configuration.onRebalance = { rebalance in
      switch rebalance.kind {
      case .assigned: try? await rebalance.consumer.seek(TopicPartition("t", 0), to: .offset(6))
      case .revoked: try? await rebalance.consumer.commit()
      case .lost: break
      }
    }
    let consumer = try Consumer(configuration)
    try await consumer.subscribe(to: ["t"])
    #expect(try await take(3, from: consumer).map(\.offset) == [6, 7, 8])
    try await consumer.close()
    #expect(try await broker.admin.committedOffsets(of: "g") == [TopicPartition("t", 0): 9])
  }

  /// What is stored while partitions go is committed with their departure.
  @Test func whatIsStoredOnTheWayOutIsCommitted() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("t")
    try await broker.produce(0..<5, to: "t")
    let last = Mutex<ConsumerRecord?>(nil)
    var configuration = broker.consumerConfiguration("g")
    configuration.enableAutoOffsetStore = false
    configuration.onRebalance = { rebalance in
      guard rebalance.kind == .revoked, let record = last.withLock({ $0 }) else { return }
      do { try rebalance.consumer.store(record) } catch { Issue.record(error) }
    }
    let consumer = try Consumer(configuration)
    try await consumer.subscribe(to: ["t"])
    let records = try await take(3, from: consumer)
    last.withLock { $0 = records[2] }
    try await consumer.close()
    #expect(try await broker.admin.committedOffsets(of: "g") == [TopicPartition("t", 0): 3])
  }

  @Test func aRegularExpressionFindsTopicsThatComeLater() async throws {
    let broker = try TestBroker()
    try await broker.createTopic("orders-a")
    try await broker.produce(0..<1, to: "orders-a")
    var configuration = broker.consumerConfiguration("g")
    configuration.metadataRefreshMs = 200
    let consumer = try Consumer(configuration)
    try await consumer.subscribe(to: ["^orders-.*"])
    let first = try #require(try await take(1, from: consumer).first)
    #expect(first.topic == "orders-a")
    try consumer.store(first)
    try await broker.createTopic("orders-b")
    try await broker.produce(0..<1, to: "orders-b")
    #expect(try await take(1, from: consumer).first?.topic == "orders-b")
    try await consumer.close()
  }
}
