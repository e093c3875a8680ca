internal import HTTPServing
internal import Launching
internal import OttlaClient
internal import UserNotifications

/// The producer server: takes notifications over HTTP and sends them to the topic.
@main struct NotificationProducer {
  private static let usage = CommandUsage(
    "notification-producer", about: "Takes notifications over HTTP (POST /send) and sends them to a topic.",
    options: [
      CommandUsage.Option("bootstrap-servers", "HOST:PORT,...", "the brokers", default: "localhost:9092"),
      CommandUsage.Option("port", "PORT", "where it listens; 0 takes any that is free", default: "8080"),
      CommandUsage.Option("topic", "NAME", "where notifications go", default: "notifications"),
      CommandUsage.Option("partitions", "COUNT", "of the topic, if it is not there yet", default: "3"),
    ],
    examples: [
      "notification-producer",
      "notification-producer --bootstrap-servers localhost:9092,localhost:9093 --port 8090",
      "curl -d fromID=1 -d toID=2 -d message=hello http://localhost:8080/send",
    ])

  static func main() async {
    let options = usage.readOrExit()
    do {
      let reason = try await run(options)
      if let reason { complain("notification-producer: \(reason)") }
      endProgram(status: reason == nil ? 0 : 1)
    } catch let error as CommandError {
      usage.refuse(error)
    } catch {
      complain("notification-producer: \(error)")
      endProgram(status: 1)
    }
  }

  /// Serves until the end, and says what has failed if anything has.
  nonisolated private static func run(_ options: CommandOptions) async throws -> String? {
    let port = try options.number("port", in: UInt16(0)...65535)
    let partitions = try options.number("partitions", in: Int32(1)...1000)
    let servers = options["bootstrap-servers"]
    let end = ProgramEnd()
    let topic = try NotificationTopic(options["topic"], partitions: partitions, bootstrapServers: servers)
    let producer = try Producer(configuration(servers))
    let sending = Sending(producer: producer, topic: topic, users: .demo, end: end)
    var settings = HTTPServer.Settings(port: port)
    settings.onError = { complain("a request failed: \($0)") }
    let server = try HTTPServer.start(sending.router, settings)
    say("ready http=127.0.0.1:\(server.port)")

    let reason = await end.wait()
    // What was asked is answered first, and an answer is there when its record is.
    await server.stop(grace: .seconds(15))
    do { try await producer.close(within: .seconds(5)) } catch { complain("\(error)") }
    return reason
  }

  private static func configuration(_ servers: String) -> ProducerConfiguration {
    var configuration = ProducerConfiguration(bootstrapServers: servers)
    configuration.clientId = "notification-producer"
    configuration.partitioner = NotificationTopic.partitioner
    // Whoever waits for an answer of HTTP gives up sooner than a producer would by itself.
    configuration.deliveryTimeoutMs = 10_000
    configuration.firstContactTimeoutMs = 10_000
    configuration.requestTimeoutMs = 5000
    configuration.onError = { complain("\($0)") }
    return configuration
  }
}
