/// How many bookings a user may make a day, and what becomes of one more.
struct DailyLimit: Hashable, Sendable {
  enum Verdict: Hashable, Sendable {
    case accepted
    /// It is the first one too many of its day: the user is told.
    case refusedAndTold
    /// The user knows already.
    case refused
  }

  let perDay: Int

  /// - Parameter number: which booking of its user and day it is, from 1. Each number comes once, and none is left out: so exactly one
  ///   booking of a day is told.
  func verdict(onBooking number: Int) -> Verdict {
    if number <= perDay { return .accepted }
    return number == perDay + 1 ? .refusedAndTold : .refused
  }
}
