import Testing

@testable import OttlaSQL

@Suite struct SQLResultTests {
  let row = SQLRow(columns: ["id", "name", "none"], values: [.integer(5_000_000_000), .text("Việt"), .null])

  @Test func valuesComeAsWhatIsAskedFor() throws {
    #expect(try row.value("id", as: Int64.self) == 5_000_000_000)
    #expect(try row.value("name", as: String.self) == "Việt")
    #expect(try row.value("none", as: String?.self) == nil)
    #expect(try row.value("name", as: String?.self) == "Việt")
  }

  @Test func whatDoesNotFitIsRefused() {
    #expect(throws: SQLError.self) { try row.value("id", as: Int32.self) }
    #expect(throws: SQLError.self) { try row.value("name", as: Int.self) }
    #expect(throws: SQLError.self) { try row.value("none", as: String.self) }
    let error = #expect(throws: SQLError.self) { try row.value("nome", as: String.self) }
    #expect(error?.description == "there is no column nome; the columns are id, name, none")
  }
}
