internal import Launching
internal import NotificationVocabulary
internal import OttlaClient
internal import OttlaErrorHandling

/// Shows the notifications that were given up, and puts them back.
@main struct DeadLetterReader {
  static let usage = CommandUsage(
    "dlt-reader",
    about: "Reads the dead letters of topic notification in group notificationDltGroup, and says why they are there.",
    options: [
      .init("bootstrap", "HOST:PORT", "a broker of the cluster", default: "localhost:9092"),
      .init(
        "topic", "NAME", "the dead letters; of the service with --retry-topics it is notification-dlt",
        default: "notification.DLT"),
      .init(
        flag: "replay", "puts those back to their topic that were not put back before, and ends"),
    ],
    examples: ["dlt-reader", "dlt-reader --topic notification-dlt", "dlt-reader --replay"])

  static func main() async {
    let options = usage.readOrExit()
    let topic = options["topic"]
    let bootstrap = options["bootstrap"]
    let isReplay = options.isSet("replay")
    await ServiceRun(usage.program).run {
      try await Topics.prepare([topic], bootstrap: bootstrap)
      try await isReplay ? replay(topic, bootstrap) : show(topic, bootstrap)
    }
  }

  private static func show(_ topic: String, _ bootstrap: String) async throws {
    say("ready topic=\(topic)")
    try await trying("reading") {
      try await withConsumer(
        Groups.member(of: "notificationDltGroup", bootstrap: bootstrap, named: usage.program), subscribedTo: [topic]
      ) {
        for try await record in $0.records { say(DeadLetter(record).sentence) }
      }
    }
  }

  private static func replay(_ topic: String, _ bootstrap: String) async throws {
    let replay = try await withProducer(ProducerConfiguration(bootstrapServers: bootstrap)) { producer in
      try await DeadLetters.replay(
        topic, Groups.member(of: "notificationReplayGroup", bootstrap: bootstrap, named: usage.program), by: producer)
    }
    say(
      "\(replay.replayedCount) are on their way again"
        + (replay.unknownCount == 0 ? "" : "; \(replay.unknownCount) do not say where they came from, and stay"))
  }
}
