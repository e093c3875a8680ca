import ServiceSteps
import Testing

@testable import limit_service

@Suite struct BookingTests {
  private func booking(id: String = "b-1", user: String = "an", atMs: Int64 = 1_795_971_600_000) -> Booking {
    Booking(id: id, user: user, email: "an@example.com", item: "room 12", atMs: atMs)
  }

  @Test func whatCanBePasses() {
    #expect(throws: Never.self) { try booking().check() }
    #expect(throws: Never.self) { try booking(id: "A.z_0-9", user: String(repeating: "u", count: 64)).check() }
  }

  /// A slash would let two users' bookings have one id in the inbox.
  @Test(arguments: ["", "a/b", "a b", "é", "a\n", String(repeating: "u", count: 65)])
  func namesThatRunTogetherAreImpossible(_ name: String) {
    #expect(throws: ImpossibleEvent.self) { try booking(id: name).check() }
    #expect(throws: ImpossibleEvent.self) { try booking(user: name).check() }
  }

  @Test(arguments: [0, 1_795_971_600, 1_795_971_600_000_000, .min, .max] as [Int64])
  func timesInOtherUnitsAreImpossible(_ atMs: Int64) {
    #expect(throws: ImpossibleEvent.self) { try booking(atMs: atMs).check() }
  }
}
