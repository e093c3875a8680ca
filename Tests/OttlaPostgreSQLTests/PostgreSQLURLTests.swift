import OttlaSQL
import Testing

@testable import OttlaPostgreSQL

@Suite struct PostgreSQLURLTests {
  @Test func everyPartIsRead() throws {
    let options = try PostgreSQLOptions(
      url: "postgresql://shop%40home:p%3Aa:ss%40@db.example:5433/m%C3%BCll?sslmode=require&application_name=a%3Db")
    #expect(options.user == "shop@home" && options.password == "p:a:ss@")
    #expect(options.host == "db.example" && options.port == 5433 && options.database == "müll")
    #expect(options.others == ["sslmode": "require", "application_name": "a=b"])
  }

  @Test func whatIsNotSaidIsUsual() throws {
    let options = try PostgreSQLOptions(url: "postgres://shop@")
    #expect(options == PostgreSQLOptions(host: "127.0.0.1", port: 5432, database: "shop", user: "shop"))
    let other = try PostgreSQLOptions(url: "postgresql://shop:@[::1]:6000/")
    #expect(other.host == "::1" && other.port == 6000 && other.database == "shop" && other.password == "")
    #expect(try PostgreSQLOptions(url: "postgresql://shop@[fe80::1]/db").port == 5432)
  }

  @Test(arguments: [
    "", "shop", "mysql://a:secret@b/c", "postgresql://", "postgresql://db/c", "postgresql://:secret@db/c",
    "postgresql://a:secret@db:0/c", "postgresql://a:secret@db:65536/c", "postgresql://a:secret@db:x/c",
    "postgresql://a:secret%4@db/c", "postgresql://a:secret%zz@db/c", "postgresql://a:secret@[::1/c",
    "postgresql://a:secret@[::1]x/c", "postgresql://a:secret@b/%ff", "postgresql://a:secret@b/c?d",
  ])
  func whatIsNoneIsSaidWithoutItsPassword(_ url: String) {
    #expect {
      try PostgreSQLOptions(url: url)
    } throws: { error in
      (error as? SQLError)?.kind == .misuse && !"\(error)".contains("secret")
    }
  }
}
