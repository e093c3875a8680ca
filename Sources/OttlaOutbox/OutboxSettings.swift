/// How a publisher works. The defaults suit a service with some messages a second.
///
/// ```swift
/// var settings = OutboxSettings()
/// settings.interval = .milliseconds(200)
/// settings.retryPause = RetryPause(first: .seconds(1), factor: 2, max: .seconds(300), jitter: 0.2)
/// let publisher = OutboxPublisher(store, settings: settings) { message in try await send(message) }
/// ```
///
/// For many small messages, and a broker that is far away:
///
/// ```swift
/// var settings = OutboxSettings()
/// settings.rowsMax = 1000                      // at a few hundred bytes each, little memory
/// settings.publishesInFlightMax = 100          // an acknowledgement takes 50 ms: up to 2000 messages a second
/// settings.failuresInARowMax = 20              // of a hundred on their way, some may fail together
/// settings.lease = .seconds(30)                // a restart of the database takes less, and brings no repeats
/// settings.retention = .seconds(86_400)        // a request that is repeated within a day adds nothing
/// settings.cleaningInterval = .seconds(300)    // what are five minutes beside a day
/// ```
public struct OutboxSettings: Sendable, Hashable {
  /// How long to wait before looking again, when there was nothing more to publish.
  public var interval = Duration.seconds(2)
  /// How many rows to take at a time. They are in memory together: with large messages, take fewer.
  public var rowsMax = 100
  /// How many messages may be on their way at once; of one lane always one.
  public var publishesInFlightMax = 16
  /// How long slots belong to a publisher that has said nothing more; after a crash nobody publishes them for so long. From 100 ms to 10 minutes.
  public var lease = Duration.seconds(15)
  /// How long sent rows stay: for so long is adding the same id again harmless.
  public var retention = Duration.seconds(60)
  /// How often sent rows are removed.
  public var cleaningInterval = Duration.seconds(60)
  /// How long a row waits after its failures, and the publisher after those of the broker or the store.
  public var retryPause = RetryPause(first: .seconds(1), factor: 2, max: .seconds(60), jitter: 0.2)
  /// After so many failures in a row the rest of the rows at hand is not tried: it is the broker that fails then, not the message.
  public var failuresInARowMax = 5

  /// The defaults. What cannot be worked with (a negative time, no row at a time) is taken for the nearest that can.
  public init() {}

  /// What can be worked with.
  var checked: OutboxSettings {
    var settings = self
    settings.interval = max(interval, .milliseconds(1))
    settings.rowsMax = min(max(rowsMax, 1), 10_000)
    settings.publishesInFlightMax = max(publishesInFlightMax, 1)
    settings.lease = min(max(lease, .milliseconds(100)), .seconds(600))
    settings.retention = max(retention, .zero)
    settings.cleaningInterval = max(cleaningInterval, .milliseconds(1))
    settings.failuresInARowMax = max(failuresInARowMax, 1)
    return settings
  }
}
