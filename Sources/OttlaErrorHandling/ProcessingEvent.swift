internal import Glibc
public import OttlaClient

/// What happens to records that fail.
///
/// ```swift
/// settings.onEvent = { event in
///   if case .deadLettered = event { alarms.raise("\(event)") }
/// }
/// ```
///
/// A service that is watched tells them apart:
///
/// ```swift
/// settings.onEvent = { event in
///   switch event {
///   case .willRetry(let record, let attempts, let wait, _):
///     // Once is nothing. More often, and what the handler calls is away: the partition rests.
///     if attempts > 2 { alarms.raise("\(record.topicPartition) rests for \(wait)") }
///   case .sentToRetryTopic(_, let topic, _, _, _):
///     figures.count("records in \(topic)")
///   case .deadLettered(_, let report, _, let error):
///     alarms.raise("look into \(report.topicPartition), offset \(report.offset ?? -1): \(error)")
///   case .skipped(let record, _, let error):
///     // It counts as done, and does not come again.
///     print("left out: \(record.topicPartition), offset \(record.offset): \(error)")
///   case .notWritten(_, let topic, let error):
///     // It is tried until it succeeds, and its partition rests meanwhile.
///     alarms.raise("\(topic) takes no records: \(error)")
///   case .readingInterrupted:
///     figures.count("interruptions")   // reading goes on by itself
///   }
/// }
/// ```
public enum ProcessingEvent: Sendable, CustomStringConvertible {
  /// The handler failed, and gets the record again after `wait`; it has been given it `attempts` times.
  case willRetry(ConsumerRecord, attempts: Int, wait: Duration, any Error)
  /// The record is in a retry topic, to be tried again after `wait`.
  case sentToRetryTopic(ConsumerRecord, topic: String, attempts: Int, wait: Duration, any Error)
  /// The record is a dead letter at `report`.
  case deadLettered(ConsumerRecord, DeliveryReport, attempts: Int, any Error)
  /// The record was given up, as the error handler says.
  case skipped(ConsumerRecord, attempts: Int, any Error)
  /// A record could not be written to the topic for retries or dead letters. It is tried again.
  case notWritten(ConsumerRecord, topic: String, ProducerError)
  /// Reading was interrupted, and goes on.
  case readingInterrupted(ClientError)

  /// One sentence.
  public var description: String {
    switch self {
    case .willRetry(let record, let attempts, let wait, let error):
      "\(Self.place(record)) failed \(Self.times(attempts)), next try in \(wait): \(error)"
    case .sentToRetryTopic(let record, let topic, let attempts, let wait, let error):
      "\(Self.place(record)) failed \(Self.times(attempts)), next try from \(topic) in \(wait): \(error)"
    case .deadLettered(let record, let report, let attempts, let error):
      "\(Self.place(record)) failed \(Self.times(attempts)) and went to \(report.topicPartition): \(error)"
    case .skipped(let record, let attempts, let error):
      "\(Self.place(record)) failed \(Self.times(attempts)) and is passed over: \(error)"
    case .notWritten(let record, let topic, let error):
      "\(Self.place(record)) could not be written to \(topic), which is tried again: \(error)"
    case .readingInterrupted(let error): "reading was interrupted and goes on: \(error)"
    }
  }

  private static func place(_ record: ConsumerRecord) -> String {
    "\(record.topicPartition) at offset \(record.offset)"
  }
  private static func times(_ attempts: Int) -> String { attempts == 1 ? "once" : "\(attempts) times" }

  /// Writes the sentence to standard error, in one piece.
  func log() {
    _ = Array("\(description)\n".utf8).withUnsafeBytes { write(2, $0.baseAddress, $0.count) }
  }
}

/// The time of day in milliseconds since 1970.
func wallClockMs() -> Int64 {
  var time = timespec()
  clock_gettime(CLOCK_REALTIME, &time)
  return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
}
