import Testing

@testable import OttlaSQL

@Suite struct SQLStatementTests {
  @Test func whatIsInterpolatedIsNeverText() {
    let name = "Robert'); DROP TABLE students;--"
    let nothing: String? = nil
    let statement: SQLStatement =
      "INSERT INTO students VALUES (\(name), \(7), \(nothing), \(true), \(1.5), \([UInt8(1)]))"
    #expect(statement.text == "INSERT INTO students VALUES ($1, $2, $3, $4, $5, $6)")
    #expect(statement.parameters == [.text(name), .integer(7), .null, .boolean(true), .real(1.5), .bytes([1])])
  }

  @Test func namesAreQuoted() {
    let statement: SQLStatement = "SELECT * FROM \(name: "odd\"name")"
    #expect(statement.text == "SELECT * FROM \"odd\"\"name\"")
  }

  @Test func listsAreParametersAndAnEmptyOneHasNothingInIt() {
    let some: SQLStatement = "x IN \(list: [3, 4])"
    #expect(some.text == "x IN ($1, $2)")
    let none: SQLStatement = "x IN \(list: [Int]())"
    #expect(none.text == "x IN (NULL)")
  }
}
