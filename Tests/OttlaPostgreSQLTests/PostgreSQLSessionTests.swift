import OttlaSQL
import TestServers
import Testing

@testable import OttlaPostgreSQL

@Suite(.enabled(if: PostgreSQLServer.missing == nil, "PostgreSQL is missing: make test-packages"))
struct PostgreSQLSessionTests {
  private func error(_ database: SQLDatabase, _ statement: SQLStatement) async -> SQLError? {
    do {
      _ = try await database.run(statement)
      return nil
    } catch { return error }
  }

  @Test func valuesComeBackAsTheyWent() async throws {
    let database = SQLDatabase.postgreSQL(try await PostgreSQLServer.shared.makeDatabase())
    try await database.run("CREATE TABLE t (n BIGINT, i INT, r FLOAT8, b BOOL, x TEXT, y BYTEA, z TEXT)")
    let text = "Việt 🎈 '\"; \\ end"
    let bytes = Array(UInt8.min...UInt8.max)
    let none: String? = nil
    let insert = try await database.run(
      "INSERT INTO t VALUES (\(Int64.min), \(Int32.max), \(-1.5e300), \(true), \(text), \(bytes), \(none))")
    #expect(insert.affectedCount == 1)
    let row = try #require(try await database.run("SELECT * FROM t").rows.first)
    #expect(row.columns == ["n", "i", "r", "b", "x", "y", "z"])
    #expect(
      row.values == [
        .integer(.min), .integer(Int64(Int32.max)), .real(-1.5e300), .boolean(true), .text(text), .bytes(bytes), .null,
      ])
    try await database.run("DELETE FROM t")
    let empty: [UInt8] = []
    try await database.run("INSERT INTO t (r, x, y) VALUES (\(Double.infinity), \(""), \(empty))")
    #expect(
      try await database.run("SELECT r, x, y FROM t").rows.first?.values == [.real(.infinity), .text(""), .bytes([])])
    await database.close()
  }

  @Test func countsAreThoseOfTheStatement() async throws {
    let database = SQLDatabase.postgreSQL(try await PostgreSQLServer.shared.makeDatabase())
    try await database.run("CREATE TABLE t (n INTEGER PRIMARY KEY)")
    #expect(try await database.run("INSERT INTO t VALUES (1), (2), (3)").affectedCount == 3)
    #expect(try await database.run("INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING").affectedCount == 0)
    #expect(try await database.run("SELECT * FROM t").affectedCount == 0)
    let removed = try await database.run("DELETE FROM t WHERE n IN \(list: [1, 2]) RETURNING n")
    #expect(removed.affectedCount == 2)
    #expect(removed.rows.map(\.values) == [[.integer(1)], [.integer(2)]])
    await database.close()
  }

  @Test func errorsSayWhatKindTheyAre() async throws {
    var options = try await PostgreSQLServer.shared.makeDatabase()
    options.statementMsMax = 100
    let database = SQLDatabase.postgreSQL(options)
    try await database.run("CREATE TABLE t (n INTEGER PRIMARY KEY, m INTEGER NOT NULL)")
    try await database.run("INSERT INTO t VALUES (1, 1)")
    let repeated = await error(database, "INSERT INTO t VALUES (1, 1)")
    #expect(repeated?.kind == .uniqueViolation)
    #expect(repeated?.sqlstate == "23505")
    #expect(await error(database, "INSERT INTO t VALUES (2, NULL)")?.kind == .constraintViolation)
    #expect(await error(database, "SELEC 1")?.kind == .statement)
    #expect(await error(database, "SELECT * FROM nowhere")?.message == "relation \"nowhere\" does not exist")
    #expect(await error(database, "")?.kind == .statement)
    #expect(await error(database, "DELETE FROM t; DELETE FROM t")?.kind == .statement)
    #expect(await error(database, "SELECT 1 / 0")?.kind == .value)
    #expect(await error(database, "SELECT \("a\0b")")?.kind == .value)
    #expect(await error(database, "COPY t TO STDOUT")?.kind == .statement)
    #expect(await error(database, "SELECT pg_sleep(5)")?.kind == .timeout)
    #expect(await error(database, "SELECT 1") == nil)
    await database.close()
  }

  @Test func whoMayNotConnectIsToldWhy() async throws {
    let options = try await PostgreSQLServer.shared.makeDatabase()
    var wrong = options
    wrong.password = "wrong"
    #expect(await error(.postgreSQL(wrong), "SELECT 1")?.kind == .authentication)
    wrong.password = nil
    #expect(await error(.postgreSQL(wrong), "SELECT 1")?.kind == .authentication)
    wrong = options
    wrong.database = "nowhere"
    #expect(await error(.postgreSQL(wrong), "SELECT 1")?.kind == .statement)
    wrong = options
    wrong.port = try freePort()
    let away = await error(.postgreSQL(wrong), "SELECT 1")
    #expect(away?.kind == .unreachable)
    #expect(away?.advice == "is PostgreSQL running at 127.0.0.1:\(wrong.port), and does it listen there?")
    wrong.host = "no-such-host.invalid"
    #expect(await error(.postgreSQL(wrong), "SELECT 1")?.kind == .unreachable)
  }

  @Test func aStatementThatFailsBreaksTheTransactionThoughItsErrorIsCaught() async throws {
    let database = SQLDatabase.postgreSQL(try await PostgreSQLServer.shared.makeDatabase())
    try await database.run("CREATE TABLE t (n INTEGER)")
    await #expect {
      try await database.transaction { transaction in
        try await transaction.run("INSERT INTO t VALUES (1)")
        _ = try? await transaction.run("SELEC 1")
      }
    } throws: {
      ($0 as? SQLError)?.kind == .transactionOver
    }
    #expect(try await database.run("SELECT * FROM t").rows.isEmpty)
    await database.close()
  }

  @Test func aDeadlockIsAConflict() async throws {
    let database = SQLDatabase.postgreSQL(try await PostgreSQLServer.shared.makeDatabase())
    try await database.run("CREATE TABLE t (n INTEGER PRIMARY KEY, m INTEGER)")
    try await database.run("INSERT INTO t VALUES (1, 0), (2, 0)")
    let (firstHolds, first) = AsyncStream<Void>.makeStream()
    let (secondHolds, second) = AsyncStream<Void>.makeStream()
    @Sendable func cross(_ one: Int, _ other: Int, _ mine: AsyncStream<Void>.Continuation, _ theirs: AsyncStream<Void>)
      async -> SQLError?
    {
      do {
        try await database.transaction { transaction in
          try await transaction.run("UPDATE t SET m = m + 1 WHERE n = \(one)")
          mine.finish()
          for await _ in theirs {}
          try await transaction.run("UPDATE t SET m = m + 1 WHERE n = \(other)")
        }
        return nil
      } catch { return error as? SQLError }
    }
    async let a = cross(1, 2, first, secondHolds)
    async let b = cross(2, 1, second, firstHolds)
    let errors = await [a, b].compactMap { $0 }
    #expect(errors.map(\.kind) == [.conflict])
    #expect(errors.map(\.isRetriable) == [true])
    #expect(try await database.run("SELECT sum(m) AS m FROM t").rows.first?.values == [.integer(2)])
    await database.close()
  }

  @Test func aServerThatWentAwayAndCameBackIsFoundAgain() async throws {
    let server = PostgreSQLServer()
    let options = try await server.makeDatabase()
    let database = SQLDatabase.postgreSQL(options)
    try await database.run("CREATE TABLE t (n INTEGER)")
    // Stopped in the middle of a transaction: it did not happen.
    await #expect {
      try await database.transaction { transaction in
        try await transaction.run("INSERT INTO t VALUES (1)")
        await server.stop()
        try await transaction.run("INSERT INTO t VALUES (2)")
      }
    } throws: {
      ($0 as? SQLError)?.kind == .connectionLost
    }
    #expect(await error(database, "SELECT 1")?.kind == .unreachable)
    try await server.start()
    #expect(try await database.run("SELECT * FROM t").rows.isEmpty)
    // Restarted while the connection was idle: nobody notices.
    await server.stop()
    try await server.start()
    try await database.run("INSERT INTO t VALUES (3)")
    #expect(try await database.run("SELECT * FROM t").rows.count == 1)
    await database.close()
    await server.stop()
  }
}
