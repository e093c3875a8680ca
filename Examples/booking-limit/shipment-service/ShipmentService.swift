internal import Launching
internal import OttlaSQL
internal import ServiceSteps

/// A record of topic `orders`, as far as it matters here.
struct Order: Codable, Sendable {
  let order: String
  let user: String
  let item: String
}

/// A record of topic `shipments`.
struct Shipment: Codable, Sendable {
  let order: String
  let user: String
  let item: String
  /// Which shipment of all it is.
  let number: Int64
}

/// Ships each order once, and tells topic `shipments`.
@main struct ShipmentService {
  private static let name = "shipment-service"

  static let usage = CommandUsage(
    name, about: "Ships each record of orders, once, and tells topic shipments.",
    options: CommandUsage.Option.ofStep(name),
    examples: [name, "\(name) --bootstrap broker-1:9092,broker-2:9092 --database sqlite:/var/lib/shop/shipments.db"])

  static func main() async {
    await runService(usage) { options, stopping in try await step.run(options, until: stopping) }
  }

  private static var step: Step<Order> {
    Step(
      name, reading: "orders",
      prepare: { transaction in
        try await transaction.run(
          "CREATE TABLE IF NOT EXISTS shipments (order_name TEXT PRIMARY KEY, number BIGINT NOT NULL UNIQUE)")
        try await transaction.run("CREATE TABLE IF NOT EXISTS last_shipment (number BIGINT NOT NULL)")
        if try await transaction.run("SELECT number FROM last_shipment").rows.isEmpty {
          try await transaction.run("INSERT INTO last_shipment VALUES (0)")
        }
      },
      effect: { order, transaction in
        let next = try await transaction.sql.run("UPDATE last_shipment SET number = number + 1 RETURNING number")
        let number: Int64 = try next.rows[0].value("number")
        try await transaction.sql.run(
          "INSERT INTO shipments (order_name, number) VALUES (\(order.order), \(number))")
        try await transaction.send(
          Shipment(order: order.order, user: order.user, item: order.item, number: number), to: "shipments",
          key: order.user, id: "shipment/\(order.order)")
        return "shipment \(number): order \(order.order)"
      })
  }
}
