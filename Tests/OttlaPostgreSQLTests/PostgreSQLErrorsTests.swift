import OttlaSQL
import Testing

@testable import OttlaPostgreSQL

@Suite struct PostgreSQLErrorsTests {
  @Test func aCodeIsMoreThanItsClass() {
    #expect(PostgreSQLErrors.meaning(of: "23505").kind == .uniqueViolation)
    #expect(PostgreSQLErrors.meaning(of: "23503").kind == .constraintViolation)
    #expect(PostgreSQLErrors.meaning(of: "40P01").kind == .conflict)
    #expect(PostgreSQLErrors.meaning(of: "57014").kind == .timeout)
    #expect(PostgreSQLErrors.meaning(of: "57P01").kind == .connectionLost)
    #expect(PostgreSQLErrors.meaning(of: "42P01").kind == .statement)
    #expect(PostgreSQLErrors.meaning(of: "53100").kind == .resources)
    #expect(PostgreSQLErrors.meaning(of: "ZZ999").kind == .other)
  }

  @Test func whatALostConnectionSaidLastIsALostConnection() {
    let error = PostgreSQLErrors.ofStatement(sqlstate: "XX000", message: "bye", isConnected: false)
    #expect(error.kind == .connectionLost)
    #expect(PostgreSQLErrors.ofStatement(sqlstate: nil, message: "", isConnected: false).kind == .connectionLost)
  }
}
