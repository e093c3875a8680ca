import Synchronization
import Testing

@testable import OttlaSQL

private struct Mishap: Error {}

@Suite struct SQLDatabaseTests {
  let server = FakeServer()
  static let lost = SQLError(.connectionLost, "gone")

  @Test func aTransactionIsCommittedWhenItsBodyReturns() async throws {
    let value = try await server.database().transaction { transaction in
      try await transaction.run("A")
      return 7
    }
    #expect(value == 7)
    #expect(server.log == ["1 BEGIN", "1 A", "1 COMMIT"])
  }

  @Test func aTransactionIsRolledBackWhenItsBodyThrows() async throws {
    let database = server.database(dialect: .sqlite)
    await #expect(throws: Mishap.self) {
      try await database.transaction { transaction in
        try await transaction.run("A")
        throw Mishap()
      }
    }
    #expect(server.log == ["1 BEGIN IMMEDIATE", "1 A", "1 ROLLBACK"])
  }

  @Test func aTransactionDoesNothingAfterItsEnd() async throws {
    let database = server.database()
    let kept = try await database.transaction { $0 }
    await #expect { try await kept.run("A") } throws: { ($0 as? SQLError)?.kind == .transactionOver }
    // Not in the next transaction of the same connection either.
    await #expect { try await database.transaction { _ in try await kept.run("A") } } throws: {
      ($0 as? SQLError)?.kind == .transactionOver
    }
    #expect(!server.log.contains { $0.hasSuffix(" A") })
  }

  @Test func aSwallowedErrorThatBrokeTheTransactionIsNoCommit() async {
    server.state.withLock { $0.isBroken = true }
    await #expect { try await server.database().transaction { _ in } } throws: {
      ($0 as? SQLError)?.kind == .transactionOver
    }
    #expect(server.log == ["1 BEGIN", "1 ROLLBACK"])
  }

  @Test func aConnectionLostInCommitLeavesOpenWhatHappened() async {
    server.state.withLock { $0.failures["COMMIT"] = (Self.lost, isFatal: true) }
    await #expect { try await server.database().transaction { _ in } } throws: {
      ($0 as? SQLError)?.kind == .commitUnknown
    }
  }

  @Test func aConnectionLostInBeginIsNobodysConcern() async throws {
    server.state.withLock { $0.failures["BEGIN"] = (Self.lost, isFatal: true) }
    try await server.database().transaction { _ in }
    #expect(server.log == ["1 BEGIN", "2 BEGIN", "2 COMMIT"])
  }

  @Test func aLostConnectionIsMadeAnewByTheNextUse() async throws {
    let database = server.database()
    server.state.withLock { $0.failures["A"] = (Self.lost, isFatal: true) }
    await #expect(throws: Self.lost) { try await database.run("A") }
    try await database.run("A")
    // A session whose end was noticed while it was idle is not used.
    server.state.withLock { _ = $0.deadSessions.insert(2) }
    try await database.run("B")
    #expect(server.log == ["1 A", "2 A", "3 B"])
  }

  @Test func aServerThatRefusesIsAskedAgain() async throws {
    let database = server.database()
    let refusal = SQLError(.unreachable, "nobody there")
    server.state.withLock { $0.refusal = refusal }
    for _ in 0..<3 { await #expect(throws: refusal) { try await database.run("A") } }
    server.state.withLock { $0.refusal = nil }
    try await database.run("A")
    #expect(server.log == ["4 A"])
  }

  @Test func theDatabaseInsideItsOwnTransactionIsRefusedInsteadOfWaitingForItself() async throws {
    let database = server.database()
    let other = FakeServer().database()
    try await database.transaction { transaction in
      await #expect { try await database.run("A") } throws: { ($0 as? SQLError)?.kind == .misuse }
      await #expect { try await database.transaction { _ in } } throws: { ($0 as? SQLError)?.kind == .misuse }
      try await other.transaction { _ in
        await #expect { try await database.run("A") } throws: { ($0 as? SQLError)?.kind == .misuse }
      }
    }
    try await database.run("A")
  }

  @Test func aTaskThatOutlivesTheTransactionMayUseTheDatabase() async throws {
    let database = server.database()
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    let later = try await database.transaction { _ in
      Task {
        for await _ in stream {}
        try await database.run("A")
      }
    }
    continuation.finish()
    try await later.value
  }
}
