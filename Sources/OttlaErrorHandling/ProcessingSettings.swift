/// How a ``RecordProcessor`` works: how much at a time, and in which order.
///
/// ```swift
/// var settings = ProcessingSettings()
/// settings.order = .key
/// settings.concurrencyMax = 16
/// ```
///
/// All of them, for a service whose handler calls another one and takes up to 10 seconds:
///
/// ```swift
/// var settings = ProcessingSettings()
/// settings.order = .none
/// settings.concurrencyMax = 32              // as many calls as the other service takes at a time
/// settings.windowRecordsMax = 2000          // a record that is retried for long does not hold up those behind it
/// settings.windowBytesMax = 16 << 20        // 2000 records of 8 KiB, for each partition
/// settings.revokeWait = .seconds(12)        // a handler that runs may end, and nobody does its work again
/// settings.stopWait = .seconds(12)          // less than the 30 seconds after which the program would be killed
/// settings.writeBackOff = .fixed(.seconds(1), retries: .max)
/// settings.createsTopics = true             // for a developer's broker; in production they are there
/// settings.onEvent = { event in alarms.raise("\(event)") }
/// ```
public struct ProcessingSettings: Sendable {
  /// How many records are worked on at a time, at most.
  public var concurrencyMax = 1
  /// Which records wait for each other.
  public var order = ProcessingOrder.partition
  /// How many records of a partition may be under way from the first that is not done on. Where there are as many, the partition rests
  /// until half of them are done; others go on.
  public var windowRecordsMax = 500
  /// The same in bytes of keys, values and headers.
  public var windowBytesMax = 4 << 20
  /// How long a rebalance waits for the handlers of partitions that go, so that what they do is committed. What takes longer is done
  /// again by whoever has the partition next.
  public var revokeWait = Duration.seconds(5)
  /// How long the end waits for handlers that run; they are cancelled then.
  public var stopWait = Duration.seconds(30)
  /// The waits between tries to write a dead letter, or into a retry topic. They have no end; only these waits count.
  public var writeBackOff = BackOff.exponential(
    from: .milliseconds(200), upTo: .seconds(30), retries: .max, jitter: 0.2)
  /// Whether topics for retries and dead letters are made at the start where they are not there, each with the partitions of the topic they
  /// belong to.
  public var createsTopics = false
  /// Told what happens beside the handler: called in order, and waited for. Writes a line to standard error unless set.
  public var onEvent: @Sendable (ProcessingEvent) -> Void = { $0.log() }

  /// One record at a time, in the order of each partition.
  public init() {}
}
