internal import Glibc
internal import HTTPServing
internal import Launching
internal import OttlaClient
internal import OttlaJSON
internal import ServiceSteps

/// Takes bookings over HTTP, and answers when the brokers have them: topic `bookings` is all it knows.
@main struct BookingService {
  static let usage = CommandUsage(
    "booking-service", about: "Takes bookings over HTTP (POST /bookings) and sends them to topic bookings.",
    options: [
      CommandUsage.Option("bootstrap", "HOST:PORT,...", "where the brokers are", default: "127.0.0.1:9092"),
      CommandUsage.Option("port", "PORT", "where it listens on 127.0.0.1; 0 takes any that is free", default: "8090"),
    ],
    examples: [
      "booking-service",
      "curl -d '{\"user\":\"an\",\"email\":\"an@example.com\",\"item\":\"room 12\"}' -H 'Content-Type: application/json' "
        + "http://127.0.0.1:8090/bookings",
    ])

  static func main() async {
    await runService(usage) { options, stopping in
      let producer = try RenewedProducer(bootstrap: options["bootstrap"], clientId: usage.program)
      var router = Router()
      router.post("/bookings") { request in try await take(request, producer) }
      var settings = HTTPServer.Settings(port: try options.number("port", in: 0...65_535))
      settings.onError = { say("failed: \($0)") }
      let server = try HTTPServer.start(router, settings)
      say("ready http=127.0.0.1:\(server.port)")
      await stopping.wait()
      // Whoever waits for an answer has it before the end, or is told to ask again.
      await server.stop(grace: .seconds(25))
      await producer.close()
    }
  }

  private static func take(_ request: HTTPRequest, _ producer: RenewedProducer) async throws -> HTTPResponse {
    let posted: NewBooking = try request.json()
    let booking: BookingRecord
    do throws(NotABooking) {
      booking = try posted.record(nowMs: wallClockMs(), randomID: randomID())
    } catch {
      throw HTTPError(400, "\(error)")
    }
    do {
      let record = try ProducerRecord(
        topic: "bookings", key: booking.user, value: booking, by: JSONCodec<BookingRecord>())
      let report = try await producer.send(record)
      say("booking \(booking.id) of \(booking.user) is \(report.topicPartition) at offset \(report.offset ?? -1)")
      return try .json(
        Taken(id: booking.id, user: booking.user, partition: report.partition, offset: report.offset), status: 202)
    } catch let error as ProducerError {
      say("booking \(booking.id) of \(booking.user) was not acknowledged: \(error)")
      throw HTTPError(
        503,
        "the booking may be lost; post it again, with \"id\": \"\(booking.id)\", and it counts once whatever happened")
    }
  }

  /// What a client is answered.
  private struct Taken: Encodable {
    let id: String
    let user: String
    let partition: Int32
    let offset: Int64?
  }

  private static func wallClockMs() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
  }

  private static func randomID() -> String {
    var generator = SystemRandomNumberGenerator()
    return [generator.next(), generator.next()].map { (half: UInt64) in String(half, radix: 36) }.joined(separator: "-")
  }
}
