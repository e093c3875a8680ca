import OttlaSQL
import Synchronization
import Testing

@testable import OttlaOutbox

struct Crash: Error {}

/// A process that dies at one step of its work: whatever it begins after that does not happen.
final class MortalProcess: Sendable {
  private struct State {
    var step = 0
    var isDead = false
  }
  private let deathAt: Int
  private let state = Mutex(State())

  init(deathAt: Int) { self.deathAt = deathAt }

  var isDead: Bool { state.withLock(\.isDead) }

  /// A point at which it may die.
  func step() throws {
    try state.withLock { state in
      guard !state.isDead else { throw Crash() }
      state.isDead = state.step == deathAt
      state.step += 1
      if state.isDead { throw Crash() }
    }
  }
}

/// The store of such a process: it may die before a call, and after it before it knows.
struct MortalStore: OutboxStore {
  let store: SQLOutboxStore
  let process: MortalProcess

  private func live<Value>(_ body: () async throws -> Value) async throws -> Value {
    try process.step()
    let value = try await body()
    try process.step()
    return value
  }

  func prepare() async throws { try await store.prepare() }
  func add(_ message: OutboxMessage, in transaction: SQLTransaction) async throws -> Bool {
    try await store.add(message, in: transaction)
  }
  func claim(rowsMax: Int, lease: Duration) async throws -> OutboxClaim {
    try await live { try await store.claim(rowsMax: rowsMax, lease: lease) }
  }
  func renew(_ claim: OutboxClaim, lease: Duration) async throws -> Bool {
    if process.isDead { throw Crash() }
    return try await store.renew(claim, lease: lease)
  }
  func settle(_ claim: OutboxClaim, _ outcomes: [OutboxOutcome]) async throws {
    try await live { try await store.settle(claim, outcomes) }
  }
  func removeSent(olderThan age: Duration, rowsMax: Int) async throws -> Int {
    try await live { try await store.removeSent(olderThan: age, rowsMax: rowsMax) }
  }
}

/// A topic: what was acknowledged, in order.
final class FakeTopic: Sendable {
  private let records = Mutex<[OutboxMessage]>([])
  var all: [OutboxMessage] { records.withLock { $0 } }
  var ids: [String] { all.map(\.id) }
  func append(_ message: OutboxMessage) { records.withLock { $0.append(message) } }
}

@Suite struct CrashTests {
  static let ids = ["a1", "b1", "a2", "b2", "a3", "c1"]

  /// Dies at each point in turn: before and after the claim, each send and the settlement.
  @Test(arguments: DatabaseKind.here) func nothingIsLostAndNothingHappensTwice(kind: DatabaseKind) async throws {
    try await kind.withDatabase { database, _ in
      var repeatsSeen = 0
      var deaths = 0
      for deathAt in 0..<100 {
        let store = SQLOutboxStore(database, table: "outbox_\(deathAt)")
        let process = MortalProcess(deathAt: deathAt)
        let topic = FakeTopic()
        try await prepare(store, database)
        try await work(
          OutboxPublisher(MortalStore(store: store, process: process), settings: settings) { message in
            try process.step()
            topic.append(message)
            try process.step()
          }, process)
        let survived = !process.isDead
        let sentBefore = topic.ids
        // The next process does the rest, once the lease of the dead one has ended.
        let publisher = OutboxPublisher(store, settings: settings) { topic.append($0) }
        for _ in 0..<200 {
          _ = try await publisher.publishOnce()
          if try await store.counts().unsent == 0 { break }
          try await Task.sleep(for: .milliseconds(10))
        }
        #expect(Set(topic.ids) == Set(Self.ids), "death at step \(deathAt) lost messages")
        let applied = try await consume(topic, database, "consumer_\(deathAt)")
        for key in ["a", "b", "c"] {
          let ofKey = applied.filter { $0.hasPrefix(key) }
          #expect(ofKey == Self.ids.filter { $0.hasPrefix(key) }, "death at step \(deathAt): \(topic.ids)")
        }
        let repeats = topic.ids.count - Self.ids.count
        #expect(repeats <= sentBefore.count)
        repeatsSeen += repeats
        if survived {
          #expect(repeats == 0)
          break
        }
        deaths += 1
      }
      // Two points for each claim, send and settlement.
      #expect(deaths >= 2 * (1 + Self.ids.count + 1))
      #expect(repeatsSeen > 0, "no death was between a send and its settlement")
    }
  }

  private var settings: OutboxSettings {
    var settings = OutboxSettings()
    settings.lease = .milliseconds(150)
    settings.publishesInFlightMax = 1
    settings.retryPause = RetryPause(first: .milliseconds(1), factor: 1, max: .milliseconds(1), jitter: 0)
    return settings
  }

  private func prepare(_ store: SQLOutboxStore, _ database: SQLDatabase) async throws {
    try await store.prepare()
    try await database.transaction { transaction in
      for id in Self.ids {
        let message = OutboxMessage(id: id, topic: "t", key: String(id.prefix(1)), text: id)
        _ = try await store.add(message, in: transaction)
      }
    }
  }

  private func work(_ publisher: OutboxPublisher<MortalStore>, _ process: MortalProcess) async throws {
    for _ in 0..<20 where !process.isDead {
      do { if try await publisher.publishOnce() == (0, 0, 0) { return } } catch is Crash {}
    }
  }

  /// A consumer that crashes now and then after its transaction, before it has committed its offset.
  private func consume(_ topic: FakeTopic, _ database: SQLDatabase, _ name: String) async throws -> [String] {
    let inbox = Inbox(database, consumer: name)
    try await inbox.prepare()
    var applied: [String] = []
    for (offset, record) in topic.all.enumerated() {
      for _ in 0..<(offset.isMultiple(of: 2) ? 2 : 1) {
        let isNew = try await database.transaction { transaction in
          try await inbox.once(record.id, in: transaction) {}
        }
        if isNew { applied.append(record.id) }
      }
    }
    return applied
  }
}
