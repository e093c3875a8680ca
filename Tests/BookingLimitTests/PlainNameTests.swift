import ServiceSteps
import Testing

@Suite struct PlainNameTests {
  @Test(arguments: ["a", "Z", "0", "an-2.b_c"]) func suchAreNames(_ text: String) {
    #expect(text.isPlainName(bytesMax: 8))
  }

  /// What would run together in an id, or be left out of a Message-ID.
  @Test(arguments: ["", "an/2", "an@b", "a b", "ă", "a\n", "123456789"]) func suchAreNone(_ text: String) {
    #expect(!text.isPlainName(bytesMax: 8))
  }

  @Test func usersAndBookingsHaveSixtyFourBytes() {
    #expect(String(repeating: "a", count: 64).isBookingName && !String(repeating: "a", count: 65).isBookingName)
  }
}
