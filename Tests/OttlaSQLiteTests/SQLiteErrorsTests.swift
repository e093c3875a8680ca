import OttlaSQL
import Testing

@testable import OttlaSQLite

@Suite struct SQLiteErrorsTests {
  @Test func anExtendedCodeIsMoreThanItsPrimaryOne() {
    #expect(SQLiteErrors.meaning(of: 2067).kind == .uniqueViolation)
    #expect(SQLiteErrors.meaning(of: 1299).kind == .constraintViolation)
    #expect(SQLiteErrors.meaning(of: 517).kind == .conflict)
    #expect(SQLiteErrors.meaning(of: 5).kind == .busy)
    #expect(SQLiteErrors.meaning(of: 13).kind == .resources)
    #expect(SQLiteErrors.meaning(of: 778).kind == .storage)
    #expect(SQLiteErrors.name(of: 5) == "SQLITE_BUSY")
    #expect(SQLiteErrors.name(of: 9999) == "SQLITE 9999")
  }
}
