import OttlaSQL
import Testing

@testable import OttlaOutbox

@Suite struct InboxTests {
  private struct Mishap: Error {}

  private func withInbox(_ kind: DatabaseKind, _ body: (SQLDatabase, Inbox) async throws -> Void) async throws {
    try await kind.withDatabase { database, _ in
      let inbox = Inbox(database, consumer: "test")
      try await inbox.prepare()
      try await database.run("CREATE TABLE effects (id TEXT NOT NULL)")
      try await body(database, inbox)
    }
  }

  private func apply(_ id: String, _ inbox: Inbox, _ database: SQLDatabase) async throws -> Bool {
    try await database.transaction { transaction in
      try await inbox.once(id, in: transaction) { try await transaction.run("INSERT INTO effects VALUES (\(id))") }
    }
  }

  private func effects(_ database: SQLDatabase) async throws -> [String] {
    try await database.run("SELECT id FROM effects ORDER BY id").rows.map { try $0.value("id") }
  }

  @Test(arguments: DatabaseKind.here) func aRepeatHasNoEffect(kind: DatabaseKind) async throws {
    try await withInbox(kind) { (database: SQLDatabase, inbox: Inbox) async throws in
      #expect(try await apply("a", inbox, database))
      #expect(try await apply("a", inbox, database) == false)
      #expect(try await apply("b", inbox, database))
      #expect(try await apply("a", Inbox(database, consumer: "another"), database))
      #expect(try await effects(database) == ["a", "a", "b"])
    }
  }

  @Test(arguments: DatabaseKind.here) func anEffectThatFailsMayBeTriedAgain(kind: DatabaseKind) async throws {
    try await withInbox(kind) { (database: SQLDatabase, inbox: Inbox) async throws in
      await #expect(throws: Mishap.self) {
        try await database.transaction { transaction in
          try await inbox.once("a", in: transaction) {
            try await transaction.run("INSERT INTO effects VALUES ('half')")
            throw Mishap()
          }
        }
      }
      #expect(try await effects(database) == [])
      #expect(try await apply("a", inbox, database))
    }
  }

  /// The caller goes on after an effect that failed: the effect must be gone, and its id too, and the rest must stay.
  @Test(arguments: DatabaseKind.here) func aCaughtErrorLeavesNeitherHalfAnEffectNorItsId(kind: DatabaseKind)
    async throws
  {
    try await withInbox(kind) { (database: SQLDatabase, inbox: Inbox) async throws in
      try await database.transaction { transaction in
        try await transaction.run("INSERT INTO effects VALUES ('before')")
        await #expect(throws: SQLError.self) {
          try await inbox.once("a", in: transaction) {
            try await transaction.run("INSERT INTO effects VALUES ('half')")
            try await transaction.run("INSERT INTO effects VALUES (NULL)")
          }
        }
        try await transaction.run("INSERT INTO effects VALUES ('then')")
      }
      #expect(try await effects(database) == ["before", "then"])
      #expect(try await apply("a", inbox, database))
    }
  }

  @Test(arguments: DatabaseKind.here) func ofManyAtOnceOneHasTheEffect(kind: DatabaseKind) async throws {
    try await withInbox(kind) { (database: SQLDatabase, inbox: Inbox) async throws in
      let count = try await withThrowingTaskGroup(of: Bool.self) { group in
        for _ in 0..<12 { group.addTask { try await apply("a", inbox, database) } }
        return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
      }
      #expect(count == 1)
      #expect(try await effects(database) == ["a"])
    }
  }

  @Test(arguments: DatabaseKind.here) func oldIdsAreForgotten(kind: DatabaseKind) async throws {
    try await withInbox(kind) { (database: SQLDatabase, inbox: Inbox) async throws in
      for id in ["a", "b", "c"] { _ = try await apply(id, inbox, database) }
      #expect(try await inbox.forget(olderThan: .seconds(60)) == 0)
      #expect(try await Inbox(database, consumer: "another").forget(olderThan: .zero) == 0)
      #expect(try await inbox.forget(olderThan: .zero, rowsMax: 2) == 2)
      #expect(try await inbox.forget(olderThan: .zero) == 1)
    }
  }
}
