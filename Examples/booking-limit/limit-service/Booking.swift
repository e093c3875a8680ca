internal import ServiceSteps

/// A record of topic `bookings`: a user has booked something. What of it this service needs; more may stand in it.
struct Booking: Codable, Sendable, Hashable {
  /// What makes it this booking of its user, however often it comes.
  let id: String
  let user: String
  /// Where the user reads mail.
  let email: String
  let item: String
  /// When it was booked, in milliseconds since 1970: the time of the event, and not of its processing.
  let atMs: Int64

  /// - Throws: for what nobody can have meant: it is for the dead letters.
  func check() throws(ImpossibleEvent) {
    guard user.isBookingName else { throw ImpossibleEvent("the user of booking '\(id)' has no name that can be") }
    guard id.isBookingName else { throw ImpossibleEvent("a booking of \(user) has no id that can be") }
    // The years 2000 to 2100: beyond, somebody has taken seconds or microseconds for milliseconds.
    guard (946_684_800_000..<4_102_444_800_000).contains(atMs) else {
      throw ImpossibleEvent("booking \(id) of \(user) is of no time that can be: atMs is \(atMs)")
    }
  }
}

/// A record of topic `accepted-bookings`: a booking within the limit.
struct AcceptedBooking: Codable, Sendable, Hashable {
  let id: String
  let user: String
  let item: String
  /// The day it counts for, as 2026-11-29.
  let day: String
  /// Which of that day it is, from 1.
  let number: Int
}

/// A record of topic `emails`: a mail to be sent. Its id in the header `outbox-id` is what makes it this mail.
struct Email: Codable, Sendable, Hashable {
  let to: String
  let subject: String
  let text: String
}
