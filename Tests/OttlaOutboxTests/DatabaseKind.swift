import Foundation
import OttlaPostgreSQL
import OttlaSQL
import OttlaSQLite
import TestServers
import Testing

/// The databases that an outbox can be in, as far as this machine has them.
enum DatabaseKind: String, CaseIterable, CustomTestStringConvertible {
  case sqlite
  case postgreSQL

  /// PostgreSQLServer.missing says what to install where the list has one member only.
  static let here: [DatabaseKind] = PostgreSQLServer.missing == nil ? allCases : [.sqlite]

  var testDescription: String { rawValue }

  /// Calls `body` with an empty database, and with a way to open it once more.
  func withDatabase(_ body: (SQLDatabase, @escaping @Sendable () -> SQLDatabase) async throws -> Void) async throws {
    switch self {
    case .sqlite:
      let folder = try temporaryFolder("outbox")
      defer { try? FileManager.default.removeItem(atPath: folder) }
      var options = SQLiteOptions(path: "\(folder)/outbox.db")
      options.synchronous = .normal
      let chosen = options
      try await Self.use(body) { SQLDatabase.sqlite(chosen) }
    case .postgreSQL:
      let options = try await PostgreSQLServer.shared.makeDatabase()
      try await Self.use(body) { SQLDatabase.postgreSQL(options) }
    }
  }

  private static func use(
    _ body: (SQLDatabase, @escaping @Sendable () -> SQLDatabase) async throws -> Void,
    _ open: @escaping @Sendable () -> SQLDatabase
  ) async throws {
    let database = open()
    do {
      try await body(database, open)
    } catch {
      await database.close()
      throw error
    }
    await database.close()
  }
}
