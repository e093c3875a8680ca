internal import Launching
internal import OttlaClient
internal import OttlaOutbox
internal import OttlaOutboxProducer

/// How messages get from the outbox to their topics.
enum Publishing {
  /// Every second what is unsent is sent again; what was sent is removed after `keeping`, looked for as often.
  static func settings(keeping: Duration) -> OutboxSettings {
    var settings = OutboxSettings()
    settings.interval = .seconds(1)
    // So long after a kill -9 does nobody send what the killed publisher had taken.
    settings.lease = .seconds(5)
    settings.cleaningInterval = keeping
    settings.retention = keeping
    settings.retryPause = RetryPause(first: .seconds(1), factor: 1, max: .seconds(1), jitter: 0)
    settings.publishesInFlightMax = 50
    return settings
  }

  /// Acknowledged by all replicas, without repeats of the producer's own; the same as the defaults, said aloud.
  static func configuration(bootstrap: String) -> ProducerConfiguration {
    var configuration = ProducerConfiguration(bootstrapServers: bootstrap)
    configuration.clientId = "account-service"
    configuration.acks = .all
    configuration.enableIdempotence = true
    configuration.maxInFlightRequestsPerConnection = 5
    // The producer tries again for so long; then the outbox does.
    configuration.deliveryTimeoutMs = 30_000
    configuration.retryBackoffMs = 100
    return configuration
  }

  /// Whether the service cannot go on with its producer. One that is closed was closed by its end.
  static func mustEnd(_ error: ProducerError) -> Bool { error.isFatal && error != .closed }

  /// - Parameter failed: called with a sentence when the producer can do nothing more.
  static func publisher(
    _ store: SQLOutboxStore, _ settings: OutboxSettings, _ producer: Producer,
    failed: @escaping @Sendable (String) -> Void
  ) -> OutboxPublisher<SQLOutboxStore> {
    OutboxPublisher(store, settings: settings, producer: producer) { event in
      switch event {
      case .removed(let count): say("\(count) sent messages were removed from the outbox")
      case .refused(let message, let reason): complain("\(message.id) is set aside in the outbox: \(reason)")
      case .storeFailed(let reason): complain("the outbox cannot be read: \(reason)")
      // Told one by one below.
      case .sent, .failed: break
      }
    } onDelivery: { message, outcome in
      switch outcome {
      case .success(let report):
        say("sent \(message.id) to \(report.topic), partition \(report.partition), offset \(report.offset ?? -1)")
      case .failure(let error):
        complain("\(message.id) was not sent to \(message.topic), and stays in the outbox: \(error)")
        if mustEnd(error) { failed("\(error)") }
      }
    }
  }
}
