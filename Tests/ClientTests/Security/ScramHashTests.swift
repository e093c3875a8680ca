import Testing

@testable import Client

@Suite struct ScramHashTests {
  private func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  @Test func hashesAreThoseOfTheStandards() {
    // FIPS 180-4: "abc".
    #expect(hex(ScramHash.sha256.digest(Array("abc".utf8))).hasPrefix("ba7816bf8f01cfea414140de5dae2223"))
    #expect(hex(ScramHash.sha512.digest(Array("abc".utf8))).hasPrefix("ddaf35a193617abacc417349ae204131"))
    // RFC 4231, test case 2.
    let message = Array("what do ya want for nothing?".utf8)
    #expect(
      hex(ScramHash.sha256.authenticate(message, key: Array("Jefe".utf8)))
        == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
    #expect(
      hex(ScramHash.sha512.authenticate(message, key: Array("Jefe".utf8))).hasPrefix("164b7a7bfcf819e2e395fbe73b56e0a3")
    )
    #expect(ScramHash.sha512.derive([], salt: [1], iterations: 4096).count == 64)
  }

  @Test func noTwoNoncesAreAlike() throws {
    #expect(try Nonce.make() != Nonce.make())
    #expect(try !Nonce.make().contains(","))
  }
}
