import Foundation
import OttlaPostgreSQL
import OttlaSQL
import OttlaSQLite
import TestServers
import Testing

@testable import OttlaOutbox

/// A service with an outbox, killed with SIGKILL at random times; OUTBOX_KILLS=100 for more than a few.
@Suite struct KillTests {
  private static let kills = ProcessInfo.processInfo.environment["OUTBOX_KILLS"].flatMap { Int($0) } ?? 10

  @Test(.timeLimit(.minutes(10))) func aServiceInSQLiteSurvivesKills() async throws {
    let folder = try temporaryFolder("drill")
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await drill("sqlite:\(folder)/drill.db", folder) { .sqlite(SQLiteOptions(path: "\(folder)/drill.db")) }
  }

  @Test(.enabled(if: PostgreSQLServer.missing == nil, "PostgreSQL is missing"), .timeLimit(.minutes(10)))
  func aServiceInPostgreSQLSurvivesKills() async throws {
    let folder = try temporaryFolder("drill")
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let options = try await PostgreSQLServer.shared.makeDatabase()
    let words = "postgresql:\(options.port):\(options.database):\(options.user):\(options.password ?? "")"
    try await drill(words, folder) { .postgreSQL(options) }
  }

  private func drill(_ words: String, _ folder: String, _ open: () -> SQLDatabase) async throws {
    let seed = UInt64.random(in: 0 ... .max)
    var random = SeededGenerator(seed)
    var killed = 0
    // Never reached in a life; and should nobody be left to kill the service, it ends all the same.
    for life in 0..<Self.kills {
      let process = try start(
        [words, "\(folder)/topic", "\((life + 1) * 20_000)", "\(random.next() >> 1)"], "\(folder)/log-\(life)")
      // Every other one is killed while it works, however slow the machine; the others maybe before that.
      for _ in 0..<2000 where life % 2 == 1 {
        if try String(contentsOfFile: "\(folder)/log-\(life)", encoding: .utf8).contains("working") { break }
        try await Task.sleep(for: .milliseconds(10))
      }
      try await Task.sleep(for: .milliseconds(Int.random(in: 30...400, using: &random)))
      kill(process.pid, SIGKILL)
      let status = await process.ended()
      #expect(status == -SIGKILL, "\((try? String(contentsOfFile: "\(folder)/log-\(life)", encoding: .utf8)) ?? "")")
      if status == -SIGKILL { killed += 1 }
    }
    let database = open()
    let raised = try await total("raised", database)
    let last = try start([words, "\(folder)/topic", "\(raised)", "1"], "\(folder)/log-last")
    let status = await last.ended()
    #expect(status == 0, "\((try? String(contentsOfFile: "\(folder)/log-last", encoding: .utf8)) ?? "")")
    let lines = try String(contentsOfFile: "\(folder)/topic", encoding: .utf8).split(separator: "\n")
    let repeats = lines.count - Set(lines).count
    print("killed \(killed) times: \(raised) messages, \(repeats) published again (seed \(seed))")
    #expect(killed == Self.kills)
    #expect(raised > 0)
    // Nothing is lost, nothing counts twice, and each counter's messages came in order.
    #expect(try await total("applied", database) == raised, "seed \(seed)")
    #expect(try await database.run("SELECT what FROM disorder").rows.map(\.values) == [], "seed \(seed)")
    #expect(Set(lines).count == raised)
    await database.close()
  }

  private func total(_ table: String, _ database: SQLDatabase) async throws -> Int {
    let rows = try await database.run("SELECT CAST(coalesce(sum(n), 0) AS BIGINT) AS n FROM \(name: table)").rows
    return try rows[0].value("n")
  }

  /// The program that was built beside these tests.
  private func start(_ arguments: [String], _ log: String) throws -> SpawnedProgram {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    // The runner of Swift Testing may be the toolchain's: the bundle it was given is on its command line.
    let candidates = ([own] + CommandLine.arguments).map { path in
      URL(filePath: path).deletingLastPathComponent().appending(path: "outbox-drill").path()
    }
    let program = try #require(
      candidates.first { FileManager.default.isExecutableFile(atPath: $0) }, "outbox-drill was not built")
    return try SpawnedProgram([program] + arguments, output: log)
  }
}
