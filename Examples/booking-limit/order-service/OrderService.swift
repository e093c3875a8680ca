internal import Launching
internal import OttlaSQL
internal import ServiceSteps

/// A record of topic `accepted-bookings`, as far as it matters here.
struct AcceptedBooking: Codable, Sendable {
  let id: String
  let user: String
  let item: String
}

/// A record of topic `orders`.
struct Order: Codable, Sendable {
  /// The user's name and the booking's id.
  let order: String
  let user: String
  let item: String
}

/// Makes an order of each accepted booking, once, and tells topic `orders`.
@main struct OrderService {
  private static let name = "order-service"

  static let usage = CommandUsage(
    name, about: "Makes an order of each record of accepted-bookings, once, and tells topic orders.",
    options: CommandUsage.Option.ofStep(name),
    examples: [name, "\(name) --bootstrap broker-1:9092,broker-2:9092 --database sqlite:/var/lib/shop/orders.db"])

  static func main() async {
    await runService(usage) { options, stopping in try await step.run(options, until: stopping) }
  }

  private static var step: Step<AcceptedBooking> {
    Step(
      name, reading: "accepted-bookings",
      prepare: { transaction in
        try await transaction.run(
          """
          CREATE TABLE IF NOT EXISTS orders (order_name TEXT PRIMARY KEY, user_name TEXT NOT NULL, item TEXT NOT NULL)
          """)
      },
      effect: { booking, transaction in
        let order = Order(order: "\(booking.user)/\(booking.id)", user: booking.user, item: booking.item)
        try await transaction.sql.run(
          "INSERT INTO orders (order_name, user_name, item) VALUES (\(order.order), \(order.user), \(order.item))")
        try await transaction.send(order, to: "orders", key: order.user, id: "order/\(order.order)")
        return "order \(order.order): \(order.item)"
      })
  }
}
