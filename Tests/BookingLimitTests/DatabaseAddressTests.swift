import Launching
import OttlaSQL
import ServiceSteps
import Testing

@Suite struct DatabaseAddressTests {
  @Test func bothKindsAreUnderstood() throws {
    #expect(try SQLDatabase.named("sqlite:limits.db").dialect == .sqlite)
    #expect(try SQLDatabase.named("postgresql://an:secret@127.0.0.1:5432/limits").dialect == .postgreSQL)
  }

  @Test(arguments: [
    "", "limits.db", "sqlite:", "mysql://an:secret@host/limits", "postgresql://an:secret@host:x/limits",
  ])
  func otherAddressesAreRefusedWithoutThePassword(_ address: String) {
    let error = #expect(throws: CommandError.self) { try SQLDatabase.named(address) }
    #expect(error.map { $0.description.contains("--database") && !$0.description.contains("secret") } == true)
  }
}
