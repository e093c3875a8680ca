internal import HTTPServing
internal import Launching
internal import OttlaClient
internal import UserNotifications

/// The consumer server: reads the topic as a member of a group, and shows over HTTP what each user has received.
@main struct NotificationConsumer {
  private static let usage = CommandUsage(
    "notification-consumer",
    about: "Reads notifications as a member of a group, and shows them over HTTP (GET /notifications/{userID}).",
    options: [
      CommandUsage.Option("bootstrap-servers", "HOST:PORT,...", "the brokers", default: "localhost:9092"),
      CommandUsage.Option("port", "PORT", "where it listens; 0 takes any that is free", default: "8081"),
      CommandUsage.Option("topic", "NAME", "where notifications are", default: "notifications"),
      CommandUsage.Option("group", "NAME", "with whom it shares the partitions", default: "notifications-group"),
      CommandUsage.Option("partitions", "COUNT", "of the topic, if it is not there yet", default: "3"),
      CommandUsage.Option("keep", "COUNT", "how many notifications it shows of each user, the newest", default: "1000"),
    ],
    examples: [
      "notification-consumer",
      "notification-consumer --port 8082      # a second one: the two share the partitions",
      "curl -L http://localhost:8081/notifications/2",
      "curl http://localhost:8081/assignment",
    ])

  static func main() async {
    let options = usage.readOrExit()
    do {
      let reason = try await run(options)
      if let reason { complain("notification-consumer: \(reason)") }
      endProgram(status: reason == nil ? 0 : 1)
    } catch let error as CommandError {
      usage.refuse(error)
    } catch {
      complain("notification-consumer: \(error)")
      endProgram(status: 1)
    }
  }

  /// Serves until the end, and says what has failed if anything has.
  nonisolated private static func run(_ options: CommandOptions) async throws -> String? {
    let port = try options.number("port", in: UInt16(0)...65535)
    let partitions = try options.number("partitions", in: Int32(1)...1000)
    let keptMax = try options.number("keep", in: 1...100_000)
    let servers = options["bootstrap-servers"]
    let end = ProgramEnd()
    let topic = try NotificationTopic(options["topic"], partitions: partitions, bootstrapServers: servers)
    let view = NotificationView(keptMax: keptMax, users: .demo)
    let answering = Answering(
      view: view, topic: topic, group: options["group"], users: .demo,
      admin: try AdminClient(AdminConfiguration(bootstrapServers: servers)))
    // Who it is, it can tell the group when it listens.
    var settings = HTTPServer.Settings(port: port)
    settings.onError = { complain("a request failed: \($0)") }
    let server = try HTTPServer.start(answering.router, settings)
    let address = ConsumerAddress(http: "127.0.0.1:\(server.port)")
    answering.listens(at: address)

    var configuration = ConsumerConfiguration(bootstrapServers: servers, groupId: options["group"])
    configuration.clientId = address.clientId
    // When a member joins or leaves, those partitions that stay where they are go on being read.
    configuration.partitionAssignmentStrategy = [.cooperativeSticky]
    // One that is killed is missed after six seconds; the others take over then.
    configuration.sessionTimeoutMs = 6000
    configuration.heartbeatIntervalMs = 1000
    // The view says which record it has taken.
    configuration.enableAutoOffsetStore = false
    configuration.autoCommitIntervalMs = 1000
    configuration.metadataRefreshMs = 2000
    configuration.onRebalance = { await view.rebalance($0) }
    configuration.onError = { complain("\($0)") }
    let consumer = try Consumer(configuration)
    let reading = Task { await read(consumer, topic, into: view, end) }
    say("ready http=127.0.0.1:\(server.port)")

    let reason = await end.wait()
    await server.stop()
    // The group hears of it at once, and shares the partitions out anew. Where no broker is there to tell, it notices by itself.
    do { try await consumer.close(within: .seconds(5)) } catch { complain("\(error)") }
    reading.cancel()
    await reading.value
    return reason
  }

  /// Reads until the consumer is closed, or the task cancelled. What passes by itself is told and waited for; what does not ends the program.
  nonisolated private static func read(
    _ consumer: Consumer, _ topic: NotificationTopic, into view: NotificationView, _ end: ProgramEnd
  ) async {
    var isSubscribed = false
    while !Task.isCancelled {
      do {
        if !isSubscribed {
          _ = try await topic.partitionCount()
          try await consumer.subscribe(to: [topic.name])
          isSubscribed = true
        }
        for try await record in consumer.records { view.take(record) }
        return
      } catch {
        if error == .closed { return }
        guard error.isRetriable else { return end.request(because: "\(error)") }
        complain("reading waits: \(error)")
        try? await Task.sleep(for: .seconds(1))
      }
    }
  }
}
