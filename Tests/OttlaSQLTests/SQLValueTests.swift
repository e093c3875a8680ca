import Testing

@testable import OttlaSQL

@Suite struct SQLValueTests {
  @Test func whatGoesInComesOut() {
    #expect(Int(sqlValue: 7.sqlValue) == 7)
    #expect(Int32(sqlValue: Int32.min.sqlValue) == .min)
    #expect(String(sqlValue: "Ân".sqlValue) == "Ân")
    #expect(Bool(sqlValue: true.sqlValue) == true)
    #expect([UInt8](sqlValue: [UInt8(1)].sqlValue) == [1])
    #expect(Double(sqlValue: 1.5.sqlValue) == 1.5)
  }

  @Test func whatSQLiteChangesIsTaken() {
    #expect(Bool(sqlValue: .integer(1)) == true)
    #expect(Bool(sqlValue: .integer(0)) == false)
    #expect(Double(sqlValue: .integer(2)) == 2)
  }

  @Test func whatDoesNotFitIsRefused() {
    #expect(Int32(sqlValue: .integer(1 << 40)) == nil)
    #expect(Bool(sqlValue: .integer(2)) == nil)
    #expect(Int(sqlValue: .text("7")) == nil)
    #expect(String(sqlValue: .null) == nil)
  }

  @Test func onlyAnOptionalIsNull() {
    let none: Int? = nil
    #expect(none.sqlValue == .null)
    #expect(Int?(sqlValue: .null) == .some(.none))
    #expect(Int?(sqlValue: .integer(3)) == .some(.some(3)))
    #expect(Int?(sqlValue: .text("x")) == .none)
  }
}
