internal import ServiceSteps

/// What a client posts.
struct NewBooking: Codable, Sendable, Hashable {
  /// What makes it this booking: posted twice with the same id, it counts once. The service makes one where there is none.
  var id: String?
  var user: String
  var email: String
  var item: String
  /// When it was booked, in milliseconds since 1970; now where it is left out.
  var atMs: Int64?

  /// How late a booking may come, and how far ahead a client's clock may be.
  static let lateMsMax: Int64 = 7 * 86_400_000
  static let aheadMsMax: Int64 = 3_600_000

  /// The record for topic `bookings`.
  ///
  /// - Parameters:
  ///   - randomID: for a booking without an id.
  /// - Throws: a sentence for the client where something is missing or cannot be.
  func record(nowMs: Int64, randomID: String) throws(NotABooking) -> BookingRecord {
    let id = id ?? randomID
    for (what, text) in [("id", id), ("user", user)] where !text.isBookingName {
      throw NotABooking("the \(what) must be 1 to 64 letters, digits, '-', '_' or '.'")
    }
    guard Self.isAddress(email) else { throw NotABooking("the email must be an address such as an@example.com") }
    guard (1...200).contains(item.utf8.count) else { throw NotABooking("the item must be 1 to 200 bytes long") }
    let atMs = atMs ?? nowMs
    guard atMs >= nowMs - Self.lateMsMax, atMs <= nowMs + Self.aheadMsMax else {
      throw NotABooking("atMs must be a time in milliseconds since 1970, of the last seven days or the next hour")
    }
    return BookingRecord(id: id, user: user, email: email, item: item, atMs: atMs)
  }

  /// Not whether the mailbox exists, only that it could: the mail server says the rest.
  static func isAddress(_ text: String) -> Bool {
    let halves = text.split(separator: "@", omittingEmptySubsequences: false)
    return halves.count == 2 && halves.allSatisfy { !$0.isEmpty } && text.utf8.count <= 254
      && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && !Array("<>()[],;:\\\"".utf8).contains($0) }
  }
}

/// A record of topic `bookings`; its key is the user, so that a user's bookings keep their order.
struct BookingRecord: Codable, Sendable, Hashable {
  let id: String
  let user: String
  let email: String
  let item: String
  let atMs: Int64
}

/// Why something that was posted is no booking.
struct NotABooking: Error, Hashable, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
