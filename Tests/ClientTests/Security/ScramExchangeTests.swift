import Testing

@testable import Client

@Suite struct ScramExchangeTests {
  private let serverFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"
  private let exchange = ScramExchange(.sha256, username: "user", password: "pencil", nonce: "rOprNGfwEbeRWgbNEkqO")

  /// The example of RFC 7677.
  @Test func theMessagesAreThoseOfTheStandard() throws {
    var exchange = exchange
    #expect(exchange.clientFirst == "n,,n=user,r=rOprNGfwEbeRWgbNEkqO")
    #expect(
      try exchange.clientFinal(answering: serverFirst)
        == "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
        + "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    try exchange.verify("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
  }

  @Test func aBrokerThatDoesNotKnowThePasswordIsRefused() throws {
    var exchange = exchange
    #expect(throws: ScramExchange.Refusal.self) { try exchange.verify("v=") }
    _ = try exchange.clientFinal(answering: serverFirst)
    for wrong in ["v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=", "v=", "", "x=1", "e=other-error"] {
      #expect(throws: ScramExchange.Refusal.self, "\(wrong)") { try exchange.verify(wrong) }
    }
  }

  @Test(arguments: [
    ("r=rOprNGfwEbeRWgbNEkqO,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "another login"),
    ("r=other,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "another login"),
    ("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095", "4095 iterations"),
    ("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=1000001", "1000001 iterations"),
    ("r=rOprNGfwEbeRWgbNEkqOx,s=*,i=4096", "no salt"),
    ("r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==", "no salt or no count"),
    ("m=ext,r=rOprNGfwEbeRWgbNEkqOx,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096", "extensions"),
    ("nonsense", "cannot be read"),
  ])
  func nonsenseIsRefused(_ message: String, _ reason: String) {
    var exchange = exchange
    #expect {
      try exchange.clientFinal(answering: message)
    } throws: { ($0 as? ScramExchange.Refusal)?.reason.contains(reason) == true }
  }

  @Test func namesAreEscaped() {
    let exchange = ScramExchange(.sha512, username: "a=b,c", password: "", nonce: "N")
    #expect(exchange.clientFirst == "n,,n=a=3Db=2Cc,r=N")
  }
}
