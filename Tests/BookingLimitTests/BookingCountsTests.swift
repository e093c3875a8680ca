import OttlaSQL
import OttlaSQLite
import Testing

@testable import limit_service

@Suite struct BookingCountsTests {
  private let counts = BookingCounts()

  private func database() async throws -> SQLDatabase {
    let database = SQLDatabase.sqlite(SQLiteOptions(path: ":memory:"))
    try await database.transaction { try await counts.prepare($0) }
    return database
  }

  private func add(_ user: String, _ day: Int64, _ database: SQLDatabase) async throws -> Int {
    try await database.transaction { try await counts.add(user, Day(number: day), $0) }
  }

  @Test func eachUserAndDayIsCountedByItself() async throws {
    let database = try await database()
    for number in 1...3 { #expect(try await add("an", 20_000, database) == number) }
    #expect(try await add("binh", 20_000, database) == 1)
    #expect(try await add("an", 20_001, database) == 1)
    #expect(try await add("an", 20_000, database) == 4)
  }

  @Test func whatIsRolledBackDoesNotCount() async throws {
    struct Away: Error {}
    let database = try await database()
    await #expect(throws: Away.self) {
      try await database.transaction { transaction in
        _ = try await counts.add("an", Day(number: 20_000), transaction)
        throw Away()
      }
    }
    #expect(try await add("an", 20_000, database) == 1)
  }

  @Test func onlyDaysLongAgoAreForgotten() async throws {
    let database = try await database()
    try await counts.forgetOldDays(database)
    for day in [20_000, 20_030, 20_031] as [Int64] { _ = try await add("an", day, database) }
    try await counts.forgetOldDays(database)
    #expect(try await add("an", 20_000, database) == 1)
    #expect(try await add("an", 20_030, database) == 2)
  }
}
