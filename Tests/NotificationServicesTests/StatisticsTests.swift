import Foundation
import NotificationVocabulary
import OttlaErrorHandling
import OttlaPostgreSQL
import OttlaSQL
import TestServers
import Testing

@testable import statistic_service

@Suite struct StatisticsTests {
  @Test func onlyWhatTheDatabaseDoesNotTakeIsADeadLetter() {
    func kind(_ kind: SQLError.Kind) -> ErrorKind { Statistics.judge.kind(of: SQLError(kind, "")) }
    #expect(kind(.value) == .fatal && kind(.constraintViolation) == .fatal)
    for passing in [SQLError.Kind.unreachable, .connectionLost, .busy, .timeout, .resources] {
      #expect(kind(passing) == .retriable)
    }
    for lasting in [SQLError.Kind.authentication, .statement, .storage] { #expect(kind(lasting) == .halting) }
  }

  @Test(.enabled(if: PostgreSQLServer.missing == nil, "PostgreSQL is missing"))
  func aRecordIsOneRowHoweverOftenItComes() async throws {
    let database = SQLDatabase.postgreSQL(try await PostgreSQLServer.shared.makeDatabase())
    let statistics = Statistics(database)
    try await statistics.prepare()
    try await statistics.prepare()
    let statistic = Statistic(message: "tài khoản", createdDate: Date(timeIntervalSince1970: 1_764_374_400.25))
    #expect(try await statistics.store(statistic, record: "7-statistic"))
    #expect(try await !statistics.store(statistic, record: "7-statistic"))
    #expect(try await statistics.store(statistic, record: "statistic-0@3/5"))
    let rows = try await database.run(
      "SELECT id, message, CAST(extract(epoch FROM created_date) AS DOUBLE PRECISION) AS created FROM statistics ORDER BY id"
    ).rows
    #expect(rows.count == 2)
    #expect(try rows[0].value("message") == "tài khoản" && rows[0].value("created") == 1_764_374_400.25)
    let zero = await #expect(throws: SQLError.self) {
      try await statistics.store(Statistic(message: "a\0b", createdDate: Date()), record: "x")
    }
    #expect(zero?.kind == .value)
    await database.close()
  }
}
