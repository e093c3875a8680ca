import Glibc
import OttlaClient
import OttlaErrorHandling

/// Processes a topic until it is killed, and writes "partition offset value" into a file for each record that is done.
///
/// Arguments: brokers, topic, group, file.
@main struct ProcessingChild {
  struct Away: Error {}

  static func main() async throws {
    let arguments = CommandLine.arguments
    guard arguments.count == 5 else { exit(64) }
    let file = open(arguments[4], O_WRONLY | O_CREAT | O_APPEND, 0o600)
    guard file >= 0 else { exit(66) }
    var configuration = ConsumerConfiguration(bootstrapServers: arguments[1], groupId: arguments[3])
    configuration.autoOffsetReset = .earliest
    configuration.autoCommitIntervalMs = 20
    configuration.sessionTimeoutMs = 1000
    configuration.heartbeatIntervalMs = 200
    var settings = ProcessingSettings()
    settings.order = .key
    settings.concurrencyMax = 8
    settings.createsTopics = true
    let handler = ErrorHandler(
      backOff: .fixed(.milliseconds(5), retries: 1),
      retryTopics: RetryTopics(.fixed(.milliseconds(100), retries: 1)))
    let processor = RecordProcessor(
      configuration, topics: [arguments[2]], errorHandler: handler, settings: settings
    ) { record in
      try await Task.sleep(for: .milliseconds(Int.random(in: 0...4)))
      let number = record.valueText.flatMap { Int($0) } ?? 0
      // Some pass only from the retry topic, some never do, and many fail now and then.
      if number % 50 == 13 || number % 50 == 7 && record.topic == arguments[2] || Int.random(in: 0..<10) == 0 {
        throw Away()
      }
      let line = "\(record.topic) \(record.partition) \(record.offset) \(number)\n"
      _ = Array(line.utf8).withUnsafeBytes { write(file, $0.baseAddress, $0.count) }
    }
    try await processor.run()
  }
}
