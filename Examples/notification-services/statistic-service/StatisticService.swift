internal import Launching
internal import NotificationVocabulary
internal import OttlaClient
internal import OttlaErrorHandling
internal import OttlaJSON
internal import OttlaOutboxProducer
internal import OttlaPostgreSQL
internal import OttlaSQL

/// Stores each record of topic `statistic` as a row, once.
@main struct StatisticService {
  static let usage = CommandUsage(
    "statistic-service",
    about: "Reads topic statistic as a member of statisticGroup, and stores its records in table statistics.",
    options: [
      .init("bootstrap", "HOST:PORT", "a broker of the cluster", default: "localhost:9092"), DatabaseOption.option,
    ],
    examples: [
      "statistic-service --database postgresql://ottla:secret@localhost/services",
      "DATABASE_URL=postgresql://ottla:secret@localhost/services statistic-service --bootstrap broker-1:9092",
    ])

  static func main() async {
    let options = usage.readOrExit()
    let statistics: Statistics
    do { statistics = Statistics(.postgreSQL(try DatabaseOption.options(options))) } catch { usage.refuse(error) }
    let bootstrap = options["bootstrap"]
    let processor = processor(bootstrap: bootstrap) { statistic, record in
      let isNew = try await statistics.store(statistic, record: record.identity)
      say("\(isNew ? "stored" : "was there already"): \(statistic.message) (\(record.topicPartition)@\(record.offset))")
    }
    await ServiceRun(usage.program).run(stop: processor.stop) {
      try await trying("the database") { try await statistics.prepare() }
      try await processor.runWaiting(for: Topics.statistic, bootstrap: bootstrap)
    }
  }

  private static func processor(
    bootstrap: String, _ handle: @escaping @Sendable (Statistic, ConsumerRecord) async throws -> Void
  ) -> RecordProcessor {
    let configuration = Groups.member(of: "statisticGroup", bootstrap: bootstrap, named: usage.program)
    var settings = ProcessingSettings()
    settings.createsTopics = true
    settings.onEvent = { complain("\($0)") }
    return RecordProcessor(
      configuration, topics: [Topics.statistic], by: JSONCodec<Statistic>(),
      errorHandler: ErrorHandler(
        judge: Statistics.judge, backOff: .exponential(from: .seconds(1), upTo: .seconds(15), retries: .max)),
      settings: settings, handle: handle)
  }
}
