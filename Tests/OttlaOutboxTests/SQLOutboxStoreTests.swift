import OttlaSQL
import TestServers
import Testing

@testable import OttlaOutbox

@Suite struct SQLOutboxStoreTests {
  static let lease = Duration.seconds(30)

  @Test func postgreSQLIsHere() {
    withKnownIssue("PostgreSQL is missing: these tests ran on SQLite alone") {
      #expect(PostgreSQLServer.missing == nil)
    } when: {
      PostgreSQLServer.missing != nil
    }
  }

  private func add(_ messages: [OutboxMessage], _ store: SQLOutboxStore) async throws {
    try await store.database.transaction { transaction in
      for message in messages { _ = try await store.add(message, in: transaction) }
    }
  }

  private func message(_ id: String, key: String? = nil) -> OutboxMessage {
    OutboxMessage(id: id, topic: "t", key: key, text: id)
  }

  private func settle(_ claim: OutboxClaim, _ store: SQLOutboxStore, _ result: (OutboxRow) -> OutboxOutcome.Result)
    async throws
  {
    try await store.settle(claim, claim.rows.map { OutboxOutcome(position: $0.position, result: result($0)) })
  }

  private func ids(_ claim: OutboxClaim) -> [String] { claim.rows.map(\.message.id) }

  @Test(arguments: DatabaseKind.here) func messagesComeBackAsTheyWent(kind: DatabaseKind) async throws {
    try await kind.withDatabase { database, _ in
      let store = SQLOutboxStore(database)
      try await store.prepare()
      let messages = [
        OutboxMessage(
          id: "full", topic: "Thông.báo", key: Array(0...255), value: Array((0...255).reversed()),
          headers: [.init("a", "1"), .init("null", nil as [UInt8]?)]),
        OutboxMessage(id: "bare", topic: "t", value: nil),
      ]
      try await add(messages, store)
      let claim = try await store.claim(rowsMax: 10, lease: Self.lease)
      #expect(claim.rows.map(\.message) == messages)
      #expect(claim.rows.map(\.failureCount) == [0, 0])
    }
  }

  @Test(arguments: DatabaseKind.here) func aMessageIsThereIfTheTransactionIs(kind: DatabaseKind) async throws {
    struct Mishap: Error {}
    try await kind.withDatabase { database, _ in
      let outbox = Outbox(SQLOutboxStore(database))
      try await outbox.prepare()
      try await outbox.prepare()
      await #expect(throws: Mishap.self) {
        try await database.transaction { transaction in
          try await outbox.add(message("a"), in: transaction)
          throw Mishap()
        }
      }
      #expect(try await outbox.store.counts() == (0, 0))
      let added = try await database.transaction { transaction in
        [try await outbox.add(message("b"), in: transaction), try await outbox.add(message("b"), in: transaction)]
      }
      #expect(added == [true, false])
      #expect(try await outbox.store.counts() == (1, 0))
    }
  }

  @Test(arguments: DatabaseKind.here) func whatIsClaimedIsNobodyElses(kind: DatabaseKind) async throws {
    try await kind.withDatabase { database, open in
      let store = SQLOutboxStore(database)
      let other = SQLOutboxStore(open())
      try await store.prepare()
      try await add((0..<200).map { message("\($0)", key: "key-\($0 % 50)") }, store)
      var seen: [String] = []
      var claims: [OutboxClaim] = []
      var turn = 0
      while true {
        let claim = try await (turn.isMultiple(of: 2) ? store : other).claim(rowsMax: 1000, lease: Self.lease)
        if claim.rows.isEmpty { break }
        turn += 1
        seen += ids(claim)
        claims.append(claim)
      }
      #expect(turn >= 4, "one publisher took it all")
      #expect(seen.count == 200)
      #expect(Set(seen).count == 200)
      for claim in claims {
        #expect(claim.rows.map(\.position) == claim.rows.map(\.position).sorted())
        try await settle(claim, store) { _ in .sent }
      }
      #expect(try await store.counts() == (0, 0))
      #expect(try await other.claim(rowsMax: 10, lease: Self.lease).rows.isEmpty)
      await other.database.close()
    }
  }

  @Test(arguments: DatabaseKind.here) func anAbandonedClaimComesBackWhenItsLeaseEnds(kind: DatabaseKind) async throws {
    try await kind.withDatabase { database, _ in
      let store = SQLOutboxStore(database)
      try await store.prepare()
      try await add([message("a"), message("b")], store)
      let abandoned = try await store.claim(rowsMax: 10, lease: .milliseconds(400))
      #expect(abandoned.rows.count == 2)
      #expect(try await store.claim(rowsMax: 10, lease: Self.lease).rows.isEmpty)
      #expect(try await store.renew(abandoned, lease: .milliseconds(400)))
      try await Task.sleep(for: .milliseconds(450))
      let claim = try await store.claim(rowsMax: 10, lease: Self.lease)
      #expect(ids(claim) == ["a", "b"])
      // Who comes late loses the lease, and what it has sent is sent.
      #expect(try await store.renew(abandoned, lease: Self.lease) == false)
      try await settle(abandoned, store) { _ in .sent }
      try await settle(claim, store) { _ in .failed(reason: "late", delay: .zero) }
      #expect(try await store.counts() == (0, 0))
    }
  }

  @Test(arguments: DatabaseKind.here) func aFailureHoldsBackItsKeyAndNothingElse(kind: DatabaseKind) async throws {
    try await kind.withDatabase { database, _ in
      let store = SQLOutboxStore(database)
      try await store.prepare()
      try await add([message("a1", key: "a"), message("b1", key: "b"), message("a2", key: "a"), message("c")], store)
      let first = try await store.claim(rowsMax: 10, lease: Self.lease)
      #expect(first.rows.count == 4)
      let failed = first.rows.filter { $0.message.id == "a1" || $0.message.id == "c" }
      try await store.settle(
        first,
        failed.map { OutboxOutcome(position: $0.position, result: .failed(reason: "no", delay: .milliseconds(400))) })
      #expect(ids(try await store.claim(rowsMax: 10, lease: .milliseconds(100))) == ["b1"])
      try await Task.sleep(for: .milliseconds(450))
      let again = try await store.claim(rowsMax: 10, lease: Self.lease)
      #expect(ids(again) == ["a1", "b1", "a2", "c"])
      #expect(again.rows.map(\.failureCount) == [1, 0, 0, 1])
    }
  }

  /// A key that fails for long has many messages behind it: those of other keys are found past them.
  @Test(arguments: DatabaseKind.here) func manyHeldBackDoNotHideTheOthers(kind: DatabaseKind) async throws {
    try await kind.withDatabase { database, _ in
      let store = SQLOutboxStore(database)
      try await store.prepare()
      let slot = OutboxLane(of: message("", key: "poison")).slot
      let neighbour = try #require(
        (0...).lazy.map { "key-\($0)" }.first { OutboxLane(of: message("", key: $0)).slot == slot })
      try await add((0..<300).map { message("p\($0)", key: "poison") } + [message("n", key: neighbour)], store)
      let first = try await store.claim(rowsMax: 1, lease: Self.lease)
      try await settle(first, store) { _ in .failed(reason: "no", delay: .seconds(100)) }
      let second = try await store.claim(rowsMax: 10, lease: Self.lease)
      #expect(ids(second) == ["n"])
      try await settle(second, store) { _ in .sent }
      // And an empty claim holds nothing.
      #expect(try await store.claim(rowsMax: 10, lease: Self.lease).rows.isEmpty)
      #expect(try await database.run("SELECT slot FROM ottla_outbox_slot WHERE owner <> ''").rows.isEmpty)
    }
  }

  @Test(arguments: DatabaseKind.here) func whatIsRefusedIsSetAsideAndCanBeTriedAgain(kind: DatabaseKind) async throws {
    try await kind.withDatabase { database, _ in
      let store = SQLOutboxStore(database)
      try await store.prepare()
      try await add([message("a1", key: "a"), message("a2", key: "a")], store)
      try await settle(try await store.claim(rowsMax: 1, lease: Self.lease), store) { _ in
        .refused(reason: "too\0 large")
      }
      #expect(try await store.counts() == (1, 1))
      #expect(try await store.refused().map(\.reason) == ["too large"])
      #expect(ids(try await store.claim(rowsMax: 10, lease: .milliseconds(1))) == ["a2"])
      #expect(try await store.removeSent(olderThan: .zero, rowsMax: 10) == 0)
      #expect(try await store.retryRefused(id: "a1"))
      #expect(try await store.retryRefused(id: "a1") == false)
      // It is unsent again, however long ago it was set aside.
      #expect(try await store.removeSent(olderThan: .zero, rowsMax: 10) == 0)
      try await Task.sleep(for: .milliseconds(5))
      #expect(ids(try await store.claim(rowsMax: 10, lease: Self.lease)) == ["a1", "a2"])
    }
  }

  @Test(arguments: DatabaseKind.here) func sentRowsAreRemovedWhenTheyAreOldEnough(kind: DatabaseKind) async throws {
    try await kind.withDatabase { database, _ in
      let store = SQLOutboxStore(database)
      try await store.prepare()
      try await add((0..<5).map { message("\($0)", key: "k") }, store)
      try await settle(try await store.claim(rowsMax: 4, lease: Self.lease), store) { _ in .sent }
      #expect(try await store.removeSent(olderThan: .seconds(60), rowsMax: 10) == 0)
      #expect(try await store.removeSent(olderThan: .zero, rowsMax: 3) == 3)
      #expect(try await store.removeSent(olderThan: .zero, rowsMax: 3) == 1)
      #expect(try await store.counts() == (1, 0))
    }
  }

  @Test(arguments: DatabaseKind.here) func severalMayPrepareAtOnce(kind: DatabaseKind) async throws {
    try await kind.withDatabase { _, open in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<6 {
          group.addTask {
            let database = open()
            try await SQLOutboxStore(database).prepare()
            try await Inbox(database, consumer: "c").prepare()
            await database.close()
          }
        }
        try await group.waitForAll()
      }
    }
  }
}
