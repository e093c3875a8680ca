import Testing

@testable import OttlaPostgreSQL

@Suite struct PostgreSQLOptionsTests {
  @Test func othersWin() {
    var options = PostgreSQLOptions(host: "db", port: 5433, database: "d", user: "u")
    options.tls = .verifyFull
    options.others = ["sslmode": "disable", "sslrootcert": "/ca"]
    let values = Dictionary(uniqueKeysWithValues: options.parameters.map { ($0.name, $0.value) })
    #expect(values["host"] == "db")
    #expect(values["port"] == "5433")
    #expect(values["sslmode"] == "disable")
    #expect(values["sslrootcert"] == "/ca")
    // Not given is not empty: libpq then looks into ~/.pgpass.
    #expect(values["password"] == nil)
  }
}
