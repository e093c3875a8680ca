import OttlaSQL
import OttlaSQLite
import Synchronization
import Testing

@testable import OttlaOutbox

/// A value that several tasks change.
private final class Locked<Value: Sendable>: Sendable {
  private let value: Mutex<Value>
  init(_ value: Value) { self.value = Mutex(value) }
  func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result { value.withLock { body(&$0) } }
}

@Suite struct OutboxPublisherTests {
  private struct Away: Error {}

  private func makeStore(_ messages: [OutboxMessage]) async throws -> SQLOutboxStore {
    let store = SQLOutboxStore(SQLDatabase.sqlite(SQLiteOptions(path: ":memory:")))
    try await store.prepare()
    try await store.database.transaction { transaction in
      for message in messages { _ = try await store.add(message, in: transaction) }
    }
    return store
  }

  private var settings: OutboxSettings {
    var settings = OutboxSettings()
    settings.interval = .milliseconds(10)
    settings.lease = .milliseconds(600)
    settings.retryPause = RetryPause(first: .milliseconds(5), factor: 1.5, max: .milliseconds(50), jitter: 0.2)
    return settings
  }

  /// Waits until nothing is unsent, for 20 s at most.
  private func waitUntilSent(_ store: SQLOutboxStore) async throws {
    for _ in 0..<2000 {
      if try await store.counts().unsent == 0 { return }
      try await Task.sleep(for: .milliseconds(10))
    }
    Issue.record("\(try await store.counts().unsent) messages were not sent")
  }

  private func keyed(_ count: Int, keys: Int) -> [OutboxMessage] {
    (0..<count).map { OutboxMessage(id: "\($0)", topic: "t", key: "\($0 % keys)", text: "") }
  }

  private func expectOrder(_ ids: [String], keys: Int) {
    for key in 0..<keys {
      let ofKey = ids.compactMap { Int($0) }.filter { $0 % keys == key }
      #expect(ofKey == ofKey.sorted())
    }
  }

  @Test func severalPublishersWithABrokerThatFailsSendEachMessageOnceAndInOrder() async throws {
    let store = try await makeStore(keyed(300, keys: 20))
    let topic = FakeTopic()
    let random = Locked(SeededGenerator(7))
    let settings = settings
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<3 {
        group.addTask {
          await OutboxPublisher(store, settings: settings) { message in
            await Task.yield()
            if random.withLock({ $0.next() % 10 == 0 }) { throw Away() }
            topic.append(message)
          }.run()
        }
      }
      do { try await waitUntilSent(store) } catch { Issue.record(error) }
      group.cancelAll()
    }
    #expect(topic.ids.count == 300)
    #expect(Set(topic.ids).count == 300)
    expectOrder(topic.ids, keys: 20)
  }

  @Test(.timeLimit(.minutes(2))) func aWakeLetsThePublisherLookAtOnce() async throws {
    let store = try await makeStore([])
    var settings = settings
    settings.interval = .seconds(3600)
    let (sent, send) = AsyncStream.makeStream(of: String.self)
    let publisher = OutboxPublisher(store, settings: settings) { send.yield($0.id) }
    // Two of them: both sleep, and both are woken.
    let publishing = [Task { await publisher.run() }, Task { await publisher.run() }]
    var ids = sent.makeAsyncIterator()
    for round in 0..<20 {
      try await store.database.transaction { transaction in
        _ = try await store.add(OutboxMessage(id: "\(round)", topic: "t", value: nil), in: transaction)
      }
      publisher.wake()
      #expect(await ids.next() == "\(round)")
    }
    for task in publishing { task.cancel() }
    for task in publishing { await task.value }
  }

  @Test func aSendThatTakesLongerThanTheLeaseKeepsIt() async throws {
    let store = try await makeStore(keyed(1, keys: 1))
    let topic = FakeTopic()
    let settings = settings
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<2 {
        group.addTask {
          await OutboxPublisher(store, settings: settings) { message in
            topic.append(message)
            try await Task.sleep(for: .milliseconds(1500))
          }.run()
        }
      }
      do { try await waitUntilSent(store) } catch { Issue.record(error) }
      group.cancelAll()
    }
    #expect(topic.ids == ["0"])
  }

  @Test func aPublisherThatIsCancelledWritesDownWhatWasAcknowledged() async throws {
    let store = try await makeStore(keyed(5, keys: 1))
    let topic = FakeTopic()
    let (sent, isSent) = AsyncStream<Void>.makeStream()
    let publisher = OutboxPublisher(store, settings: settings) { message in
      topic.append(message)
      isSent.yield()
      // The acknowledgement comes although the task is cancelled meanwhile.
      try? await Task.sleep(for: .seconds(60))
    }
    let running = Task { await publisher.run() }
    for await _ in sent { break }
    running.cancel()
    await running.value
    #expect(topic.ids == ["0"])
    #expect(try await store.counts() == (4, 0))
    // And the slot is free at once.
    #expect(try await store.claim(rowsMax: 1, lease: .seconds(1)).rows.map(\.message.id) == ["1"])
  }

  /// What was acknowledged and could not be written down is offered to the store once more at the end.
  @Test func aCancelledPublisherOffersOnceMoreWhatTheStoreDidNotTake() async throws {
    let store = try await makeStore(keyed(1, keys: 1))
    var settings = settings
    settings.retryPause = RetryPause(first: .seconds(60), factor: 1, max: .seconds(60), jitter: 0)
    let (failures, hasFailed) = AsyncStream<Void>.makeStream()
    let publisher = OutboxPublisher(ForgetfulStore(store: store), settings: settings) { event in
      if case .storeFailed = event { hasFailed.yield() }
    } publish: { _ in
    }
    let running = Task { await publisher.run() }
    for await _ in failures { break }
    running.cancel()
    await running.value
    #expect(try await store.counts().unsent == 0)
  }

  @Test func whatIsRefusedIsSetAsideAndTold() async throws {
    let store = try await makeStore(keyed(3, keys: 1))
    let topic = FakeTopic()
    let events = Locked<[OutboxEvent]>([])
    let publisher = OutboxPublisher(store, settings: settings) { event in
      events.withLock { $0.append(event) }
    } publish: { message in
      if message.id == "1" { throw OutboxRefusal("too large") }
      topic.append(message)
    }
    #expect(try await publisher.publishOnce() == (2, 0, 1))
    #expect(topic.ids == ["0", "2"])
    #expect(try await store.counts() == (0, 1))
    let refused = keyed(3, keys: 1)[1]
    #expect(events.withLock { $0 } == [.refused(refused, reason: "too large"), .sent(count: 2)])
  }

  @Test func aBrokerThatIsAwayIsNotTriedWithEveryMessage() async throws {
    let store = try await makeStore(keyed(100, keys: 100))
    let tries = Locked(0)
    var settings = settings
    settings.publishesInFlightMax = 1
    let publisher = OutboxPublisher(store, settings: settings) { _ in
      tries.withLock { $0 += 1 }
      throw Away()
    }
    #expect(try await publisher.publishOnce() == (0, 5, 0))
    #expect(tries.withLock { $0 } == 5)
  }

  @Test func sentMessagesAreRemovedAfterTheirTime() async throws {
    let store = try await makeStore(keyed(10, keys: 3))
    var settings = settings
    settings.retention = .milliseconds(50)
    settings.cleaningInterval = .milliseconds(20)
    let publisher = OutboxPublisher(store, settings: settings) { _ in }
    let running = Task { await publisher.run() }
    for _ in 0..<1000 {
      if try await store.database.run("SELECT 1 FROM ottla_outbox").rows.isEmpty { break }
      try await Task.sleep(for: .milliseconds(10))
    }
    #expect(try await store.database.run("SELECT 1 FROM ottla_outbox").rows.isEmpty)
    running.cancel()
    await running.value
  }

  /// The store fails at any call, and comes back.
  @Test(arguments: 0..<10) func aStoreThatFailsNowAndThenLosesNothing(seed: UInt64) async throws {
    let store = try await makeStore(keyed(60, keys: 6))
    let topic = FakeTopic()
    let publisher = OutboxPublisher(FlakyStore(store: store, seed: seed), settings: settings) { topic.append($0) }
    let running = Task { await publisher.run() }
    try await waitUntilSent(store)
    running.cancel()
    await running.value
    #expect(Set(topic.ids).count == 60)
    var seen: Set<String> = []
    expectOrder(topic.ids.filter { seen.insert($0).inserted }, keys: 6)
  }
}

/// A store that cannot be reached when it is first to write down what was sent.
private struct ForgetfulStore: OutboxStore {
  let store: SQLOutboxStore
  private let settlesCount = Locked(0)

  init(store: SQLOutboxStore) { self.store = store }

  func prepare() async throws { try await store.prepare() }
  func add(_ message: OutboxMessage, in transaction: SQLTransaction) async throws -> Bool {
    try await store.add(message, in: transaction)
  }
  func claim(rowsMax: Int, lease: Duration) async throws -> OutboxClaim {
    try await store.claim(rowsMax: rowsMax, lease: lease)
  }
  func renew(_ claim: OutboxClaim, lease: Duration) async throws -> Bool {
    try await store.renew(claim, lease: lease)
  }
  func settle(_ claim: OutboxClaim, _ outcomes: [OutboxOutcome]) async throws {
    let isFirst = settlesCount.withLock { count in
      count += 1
      return count == 1
    }
    if isFirst { throw SQLError(.unreachable, "away") }
    try await store.settle(claim, outcomes)
  }
  func removeSent(olderThan age: Duration, rowsMax: Int) async throws -> Int {
    try await store.removeSent(olderThan: age, rowsMax: rowsMax)
  }
}

/// A store that cannot be reached now and then; what it was asked may have happened all the same.
private struct FlakyStore: OutboxStore {
  let store: SQLOutboxStore
  private let random: Locked<SeededGenerator>

  init(store: SQLOutboxStore, seed: UInt64) {
    self.store = store
    random = Locked(SeededGenerator(seed))
  }

  private func flaky<Value>(_ body: () async throws -> Value) async throws -> Value {
    let chance = random.withLock { $0.next() % 10 }
    if chance == 0 { throw SQLError(.unreachable, "away") }
    let value = try await body()
    if chance == 1 { throw SQLError(.connectionLost, "gone") }
    return value
  }

  func prepare() async throws { try await store.prepare() }
  func add(_ message: OutboxMessage, in transaction: SQLTransaction) async throws -> Bool {
    try await store.add(message, in: transaction)
  }
  func claim(rowsMax: Int, lease: Duration) async throws -> OutboxClaim {
    try await flaky { try await store.claim(rowsMax: rowsMax, lease: lease) }
  }
  func renew(_ claim: OutboxClaim, lease: Duration) async throws -> Bool {
    try await flaky { try await store.renew(claim, lease: lease) }
  }
  func settle(_ claim: OutboxClaim, _ outcomes: [OutboxOutcome]) async throws {
    try await flaky { try await store.settle(claim, outcomes) }
  }
  func removeSent(olderThan age: Duration, rowsMax: Int) async throws -> Int {
    try await flaky { try await store.removeSent(olderThan: age, rowsMax: rowsMax) }
  }
}
