import Foundation
import NotificationVocabulary
import OttlaJSON
import OttlaOutbox
import OttlaSQL
import Synchronization
import TestServers
import Testing

@testable import OttlaPostgreSQL
@testable import account_service

@Suite struct AccountsTests {
  private let an = NewAccount(name: "An", email: "an@example.com")

  @Test func anAccountIsAHundredMailsAndAStatistic() throws {
    let messages = try Accounts.messages(for: an, id: "7", now: Date(timeIntervalSince1970: 60))
    #expect(messages.filter { $0.topic == "notification" }.count == 100)
    #expect(messages.filter { $0.topic == "statistic" }.map(\.id) == ["7-statistic"])
    #expect(Set(messages.map(\.id)).count == 101)
    #expect(messages.allSatisfy { $0.key == nil })
    let mail = try JSONCodec<NotificationVocabulary.Notification>().deserialize(
      messages[41].value, topic: "notification")
    #expect(mail.to == "an@example.com" && mail.toName == "An" && mail.subject.contains("(42)"))
    let statistic = try JSONCodec<Statistic>().deserialize(messages[100].value, topic: "statistic")
    #expect(
      statistic
        == Statistic(
          message: "account an@example.com was created", createdDate: Date(timeIntervalSince1970: 60)))
  }

  @Test(.enabled(if: PostgreSQLServer.missing == nil, "PostgreSQL is missing"))
  func accountAndMessagesAreThereTogetherAndOnce() async throws {
    let database = SQLDatabase.postgreSQL(try await PostgreSQLServer.shared.makeDatabase())
    let store = SQLOutboxStore(database)
    let accounts = Accounts(database, store)
    try await accounts.prepare()
    try await accounts.prepare()
    func counts() async throws -> [Int] {
      let rows = try await database.run("SELECT CAST(count(*) AS BIGINT) AS n FROM accounts").rows
      return [try rows[0].value("n"), try await store.counts().unsent]
    }
    try await accounts.open(an, id: "1")
    try await accounts.open(an, id: "1")
    #expect(try await counts() == [1, 101])
    // The same person may have two accounts.
    try await accounts.open(an)
    #expect(try await counts() == [2, 202])
    // A message that cannot be kept takes its account with it.
    await #expect(throws: OutboxMessageError.self) {
      try await accounts.open(an, id: String(repeating: "x", count: 199))
    }
    #expect(try await counts() == [2, 202])
    // Nor do messages come back that were sent and removed.
    try await database.run("DELETE FROM ottla_outbox")
    try await accounts.open(an, id: "1")
    #expect(try await counts() == [2, 0])
    await database.close()
  }

  @Test(.enabled(if: PostgreSQLServer.missing == nil, "PostgreSQL is missing"))
  func aDatabaseThatIsAwayIsAskedThreeTimes() async throws {
    let options = try await PostgreSQLServer.shared.makeDatabase()
    let here = SQLDatabase.postgreSQL(options)
    try await Accounts(here, SQLOutboxStore(here)).prepare()
    for (failures, isOpened) in [(3, false), (2, true)] {
      let triesCount = Mutex(0)
      let flaky = SQLDatabase(dialect: .postgreSQL, connectionsMax: 1) { () throws(SQLError) in
        let number = triesCount.withLock { count in
          count += 1
          return count
        }
        if number <= failures { throw SQLError(.unreachable, "away") }
        return try PostgreSQLSession(options)
      }
      let accounts = Accounts(flaky, SQLOutboxStore(flaky))
      if isOpened {
        try await accounts.open(an)
      } else {
        await #expect(throws: SQLError.self) { try await accounts.open(an) }
      }
      #expect(triesCount.withLock { $0 } == 3)
      #expect(try await SQLOutboxStore(here).counts().unsent == (isOpened ? 101 : 0))
      await flaky.close()
    }
    await here.close()
  }
}
