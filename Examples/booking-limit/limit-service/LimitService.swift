internal import Launching
internal import OttlaClient
internal import ServiceSteps

/// Reads `bookings`, counts them by user and day, and sends those within the limit to `accepted-bookings`; for the first one beyond it
/// a mail goes to `emails`. It knows neither who books nor who sends mails.
@main struct LimitService {
  private static let name = "limit-service"

  static let usage = CommandUsage(
    name,
    about:
      "Counts bookings by user and day, accepts those within the limit, and tells a user once a day of the first beyond it.",
    options: CommandUsage.Option.ofStep(name) + [
      CommandUsage.Option("limit", "COUNT", "how many bookings a user may make a day", default: "10"),
      CommandUsage.Option(
        "utc-offset", "+HH:MM", "whose midnight a day begins at, in every season; +07:00 is Vietnam's",
        default: "+07:00"),
    ],
    examples: [
      name, "\(name) --database postgresql://ottla:secret@127.0.0.1:5432/limits --limit 3 --utc-offset +00:00",
    ])

  static func main() async {
    await runService(usage) { options, stopping in
      guard let offset = UTCOffset(options["utc-offset"]) else {
        throw CommandError("--utc-offset must be like +07:00, 14 hours at most; it is '\(options["utc-offset"])'")
      }
      let limit = DailyLimit(perDay: try options.number("limit", in: 1...1_000_000))
      try await step(limit, offset).run(options, until: stopping)
    }
  }

  private static func step(_ limit: DailyLimit, _ offset: UTCOffset) -> Step<Booking> {
    let counts = BookingCounts()
    return Step(
      name, reading: "bookings",
      // The booking's own id, and not its place in the topic: who books may send it twice. Another user's is another one.
      id: { booking, _ in "\(booking.user)/\(booking.id)" },
      prepare: { try await counts.prepare($0) }, clean: { try await counts.forgetOldDays($0) },
      effect: { booking, transaction in
        try booking.check()
        let day = Day(ofMs: booking.atMs, offset: offset)
        let number = try await counts.add(booking.user, day, transaction.sql)
        let what = "booking \(number) of \(booking.user) on \(day)"
        switch limit.verdict(onBooking: number) {
        case .accepted:
          try await transaction.send(
            AcceptedBooking(id: booking.id, user: booking.user, item: booking.item, day: "\(day)", number: number),
            to: "accepted-bookings", key: booking.user, id: "accepted/\(booking.user)/\(booking.id)")
          return "\(what) is accepted"
        case .refusedAndTold:
          try await transaction.send(
            mail(to: booking, day, limit), to: "emails", key: booking.user, id: "booking-limit.\(day).\(booking.user)")
          return "\(what) is one too many: a mail to \(booking.email)"
        case .refused: return "\(what) is refused"
        }
      })
  }

  private static func mail(to booking: Booking, _ day: Day, _ limit: DailyLimit) -> Email {
    Email(
      to: booking.email, subject: "Your bookings of \(day)",
      text:
        "\(limit.perDay) bookings a day is the limit, and you have reached it on \(day). From the \(limit.perDay + 1)th on "
        + "bookings of that day are not accepted; the next day begins anew.")
  }
}
