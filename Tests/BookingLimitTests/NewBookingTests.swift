import Testing

@testable import booking_service

@Suite struct NewBookingTests {
  private let now: Int64 = 1_795_971_600_000
  private let good = NewBooking(id: "b-1", user: "an", email: "an@example.com", item: "room 12", atMs: nil)

  private func record(_ change: (inout NewBooking) -> Void) throws -> BookingRecord {
    var booking = good
    change(&booking)
    return try booking.record(nowMs: now, randomID: "random")
  }

  @Test func whatIsLeftOutIsFilledIn() throws {
    #expect(
      try record { $0.id = nil }
        == BookingRecord(id: "random", user: "an", email: "an@example.com", item: "room 12", atMs: now))
    #expect(try record { $0.atMs = now - 5 }.atMs == now - 5)
    #expect(try record { _ in }.id == "b-1")
  }

  @Test func whatCannotBeIsRefusedWithASentence() {
    let wrong: [((inout NewBooking) -> Void, String)] = [
      ({ $0.id = "a/b" }, "id"), ({ $0.id = "" }, "id"), ({ $0.user = "" }, "user"), ({ $0.user = "a b" }, "user"),
      ({ $0.email = "an" }, "email"), ({ $0.email = "an@" }, "email"), ({ $0.email = "a@b@c" }, "email"),
      ({ $0.email = "an@example.com\r\nx" }, "email"),
      ({ $0.email = String(repeating: "a", count: 251) + "@b.c" }, "email"),
      ({ $0.item = "" }, "item"), ({ $0.item = String(repeating: "i", count: 201) }, "item"),
      ({ $0.atMs = now - NewBooking.lateMsMax - 1 }, "atMs"), ({ $0.atMs = now + NewBooking.aheadMsMax + 1 }, "atMs"),
      ({ $0.atMs = .min }, "atMs"),
    ]
    for (change, name) in wrong {
      let error = #expect(throws: NotABooking.self) { try record(change) }
      #expect(error?.description.contains(name) == true)
    }
    #expect(throws: Never.self) { try record { $0.atMs = now - NewBooking.lateMsMax } }
    #expect(throws: Never.self) { try record { $0.atMs = now + NewBooking.aheadMsMax } }
  }
}
