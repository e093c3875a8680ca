import Foundation
import OttlaSQL
import TestServers
import Testing

@testable import OttlaSQLite

@Suite final class SQLiteSessionTests {
  let folder: String
  let database: SQLDatabase

  init() throws {
    folder = try temporaryFolder("sqlite")
    database = SQLDatabase.sqlite(SQLiteOptions(path: "\(folder)/test.db"))
  }

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  @Test func valuesComeBackAsTheyWent() async throws {
    try await database.run("CREATE TABLE t (n INTEGER, r REAL, b INTEGER, x TEXT, y BLOB, z TEXT)")
    let text = "Việt 🎈 '\"; \0 end"
    let bytes = Array(UInt8.min...UInt8.max)
    let none: String? = nil
    let insert = try await database.run(
      "INSERT INTO t VALUES (\(Int64.min), \(-1.5e300), \(true), \(text), \(bytes), \(none))")
    #expect(insert.affectedCount == 1)
    let row = try #require(try await database.run("SELECT * FROM t").rows.first)
    #expect(row.columns == ["n", "r", "b", "x", "y", "z"])
    #expect(row.values == [.integer(.min), .real(-1.5e300), .integer(1), .text(text), .bytes(bytes), .null])
    #expect(try row.value("b", as: Bool.self))
    try await database.run("DELETE FROM t")
    let empty: [UInt8] = []
    try await database.run("INSERT INTO t (x, y) VALUES (\(""), \(empty))")
    #expect(try await database.run("SELECT x, y FROM t").rows.first?.values == [.text(""), .bytes([])])
  }

  @Test func countsAreThoseOfTheStatement() async throws {
    try await database.run("CREATE TABLE t (n INTEGER PRIMARY KEY)")
    #expect(try await database.run("INSERT INTO t VALUES (1), (2), (3)").affectedCount == 3)
    #expect(try await database.run("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING").affectedCount == 0)
    #expect(try await database.run("SELECT * FROM t").affectedCount == 0)
    #expect(try await database.run("CREATE TABLE u (n INTEGER)").affectedCount == 0)
    let removed = try await database.run("DELETE FROM t WHERE n IN \(list: [1, 2]) RETURNING n")
    #expect(removed.affectedCount == 2)
    #expect(removed.rows.map(\.values) == [[.integer(1)], [.integer(2)]])
  }

  @Test func errorsSayWhatKindTheyAre() async throws {
    try await database.run("CREATE TABLE t (n INTEGER PRIMARY KEY, m INTEGER NOT NULL)")
    try await database.run("INSERT INTO t VALUES (1, 1)")
    func error(_ statement: SQLStatement) async -> SQLError? {
      do {
        _ = try await database.run(statement)
        return nil
      } catch { return error }
    }
    #expect(await error("INSERT INTO t VALUES (1, 1)")?.kind == .uniqueViolation)
    #expect(await error("INSERT INTO t VALUES (1, 1)")?.sqlstate == "SQLITE_CONSTRAINT_PRIMARYKEY")
    #expect(await error("INSERT INTO t VALUES (2, NULL)")?.kind == .constraintViolation)
    #expect(await error("SELEC 1")?.kind == .statement)
    #expect(await error("SELECT * FROM nowhere")?.message == "no such table: nowhere")
    #expect(await error("")?.kind == .statement)
    #expect(await error("DELETE FROM t; DELETE FROM t")?.kind == .statement)
    #expect(await error("DELETE FROM t WHERE n = $2")?.kind == .value)
    #expect(await error("DELETE FROM t WHERE n = 7; ") == nil)
    #expect(try await database.run("SELECT * FROM t").rows.count == 1)
  }

  @Test func aFileThatCannotBeOpenedSaysWhich() async throws {
    let missing = SQLDatabase.sqlite(SQLiteOptions(path: "\(folder)/no/such/folder.db"))
    await #expect {
      try await missing.run("SELECT 1")
    } throws: { error in
      guard let error = error as? SQLError else { return false }
      return error.kind == .unreachable && error.description.contains("no/such/folder.db")
    }
    try Data("this is not a database, however long it may be".utf8).write(to: URL(filePath: "\(folder)/text"))
    let text = SQLDatabase.sqlite(SQLiteOptions(path: "\(folder)/text"))
    await #expect { try await text.run("SELECT 1") } throws: { ($0 as? SQLError)?.kind == .storage }
  }

  @Test func aRolledBackTransactionLeavesNothing() async throws {
    struct Mishap: Error {}
    try await database.run("CREATE TABLE t (n INTEGER)")
    await #expect(throws: Mishap.self) {
      try await database.transaction { transaction in
        try await transaction.run("INSERT INTO t VALUES (1)")
        throw Mishap()
      }
    }
    #expect(try await database.run("SELECT * FROM t").rows.isEmpty)
  }

  @Test func writersWaitForEachOther() async throws {
    try await database.run("CREATE TABLE t (n INTEGER)")
    try await database.run("INSERT INTO t VALUES (0)")
    let others = (0..<4).map { _ in SQLDatabase.sqlite(SQLiteOptions(path: "\(folder)/test.db")) }
    try await withThrowingTaskGroup(of: Void.self) { group in
      for other in others {
        group.addTask {
          for _ in 0..<10 {
            try await other.transaction { transaction in
              let rows = try await transaction.run("SELECT n FROM t").rows
              let count: Int = try rows[0].value("n")
              try await transaction.run("UPDATE t SET n = \(count + 1)")
            }
          }
        }
      }
      try await group.waitForAll()
    }
    #expect(try await database.run("SELECT n FROM t").rows.first?.values == [.integer(40)])
  }

  /// Each changes the journal of a new file: SQLite refuses those that meet there, without waiting for each other.
  @Test func aNewFileMayBeOpenedByManyAtOnce() async throws {
    for round in 0..<20 {
      let path = "\(folder)/new-\(round).db"
      try await withThrowingTaskGroup(of: Void.self) { group in
        for _ in 0..<8 {
          group.addTask {
            let database = SQLDatabase.sqlite(SQLiteOptions(path: path))
            try await database.run("CREATE TABLE IF NOT EXISTS t (n INTEGER)")
            await database.close()
          }
        }
        try await group.waitForAll()
      }
    }
  }

  @Test func aWriterThatWaitsTooLongIsTold() async throws {
    try await database.run("CREATE TABLE t (n INTEGER)")
    var options = SQLiteOptions(path: "\(folder)/test.db")
    options.busyMsMax = 20
    let impatient = SQLDatabase.sqlite(options)
    try await impatient.run("SELECT 1")
    try await database.transaction { transaction in
      try await transaction.run("INSERT INTO t VALUES (1)")
      await #expect { try await impatient.transaction { _ in } } throws: { ($0 as? SQLError)?.kind == .busy }
    }
    try await impatient.transaction { _ in }
  }
}
