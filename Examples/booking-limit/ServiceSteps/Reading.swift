internal import Launching
package import OttlaClient
package import OttlaErrorHandling

/// A topic that is read by a group, for as long as the service runs.
package struct Reading: Sendable {
  private let configuration: ConsumerConfiguration
  private let settings: ProcessingSettings
  private let topic: String

  /// - Parameters:
  ///   - group: the group, which is also the client's name.
  ///   - instance: a name of this process that outlives it: back within six seconds, it has its partitions at once. Empty for none.
  ///   - order: which records wait for each other.
  package init(
    topic: String, group: String, instance: String, bootstrap: String, order: ProcessingOrder, concurrencyMax: Int
  ) {
    var configuration = ConsumerConfiguration(bootstrapServers: bootstrap, groupId: group)
    configuration.clientId = group
    configuration.groupInstanceId = instance.isEmpty ? nil : instance
    configuration.autoOffsetReset = .earliest
    configuration.autoCommitIntervalMs = 1000
    // A member that was killed is missed after six seconds.
    configuration.sessionTimeoutMs = 6000
    configuration.heartbeatIntervalMs = 2000
    configuration.bufferedBytesMax = 8 << 20
    configuration.onRebalance = { rebalance in
      let names = rebalance.partitions.map { "\($0)" }.joined(separator: ", ")
      say("\(rebalance.kind.rawValue): \(names.isEmpty ? "no partition" : names)")
    }
    var settings = ProcessingSettings()
    settings.order = order
    settings.concurrencyMax = concurrencyMax
    settings.createsTopics = true
    settings.onEvent = { say("\($0)") }
    self.configuration = configuration
    self.settings = settings
    self.topic = topic
  }

  /// Gives the records to `handle` until the service is to end. What does not decode, and what `judge` finds fatal, goes to
  /// `<topic>.DLT`; anything else is tried again for ever, up to five seconds apart.
  ///
  /// - Throws: `ClientError` where no patience helps.
  package func run<Codec: Deserializer>(
    by codec: Codec, judge: ErrorJudge, until stopping: Stopping,
    _ handle: @escaping @Sendable (Codec.Value, ConsumerRecord) async throws -> Void
  ) async throws where Codec.Value: Sendable {
    let patient = ErrorHandler(
      judge: judge,
      backOff: .exponential(from: .milliseconds(200), upTo: .seconds(5), retries: .max, jitter: 0.2))
    let processor = RecordProcessor(
      configuration, topics: [topic], by: codec, errorHandler: patient, settings: settings, handle: handle)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        await stopping.wait()
        processor.stop()
      }
      repeat {
        do {
          try await processor.run()
        } catch let error as ClientError where error.isRetriable {
          // The topic is not there yet, or no broker is.
          say("waiting: \(error)")
        }
      } while await stopping.pause(.seconds(1))
      group.cancelAll()
    }
  }
}
