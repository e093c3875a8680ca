internal import OttlaClient

/// The headers by which a record that failed says where it comes from and why it is here.
///
/// All begin with `ottla.`; numbers are decimal text. A record's own headers stay beside them, but for those of that prefix.
///
/// ```swift
/// let consumer = try Consumer(configuration)
/// try await consumer.subscribe(to: ["orders.DLT"])
/// for try await letter in consumer.records {
///   func said(_ name: String) -> String { letter.header(name)?.text ?? "?" }
///   print("\(said(FailureHeader.originalTopic))-\(said(FailureHeader.originalPartition))")
///   print("  at offset \(said(FailureHeader.originalOffset)), of \(said(FailureHeader.originalTimestamp)) ms:")
///   print("  \(said(FailureHeader.group)) has tried it \(said(FailureHeader.attempts)) times")
///   print("  \(said(FailureHeader.errorType)): \(said(FailureHeader.errorMessage))")
///   print("  \(letter.valueText ?? "null")")
/// }
/// ```
///
/// The handler of a record from a retry topic sees for which retry it waited, and until when:
///
/// ```swift
/// if let due = record.header(FailureHeader.retryDue)?.text.flatMap(Int64.init) {
///   let lateMs = Int64(Date().timeIntervalSince1970 * 1000) - due
///   let number = record.header(FailureHeader.retryNumber)?.text ?? "?"
///   print("retry \(number) begins \(lateMs) ms after it was due")
/// }
/// ```
///
/// Whoever sends a dead letter on by himself leaves them out: what they tell of is past.
///
/// ```swift
/// let own = record.headers.filter { !$0.name.hasPrefix(FailureHeader.prefix) }
/// try await producer.send(ProducerRecord(topic: "orders", key: record.key, value: record.value, headers: own))
/// ```
public enum FailureHeader {
  /// What all of them begin with.
  public static let prefix = "ottla."
  /// The topic in which the record was first.
  public static let originalTopic = "ottla.original.topic"
  /// Its partition there.
  public static let originalPartition = "ottla.original.partition"
  /// Its offset there.
  public static let originalOffset = "ottla.original.offset"
  /// Its time there, in milliseconds since 1970; missing where it had none.
  public static let originalTimestamp = "ottla.original.timestamp"
  /// The group that could not work on it.
  public static let group = "ottla.group"
  /// The type of the last error.
  public static let errorType = "ottla.error.type"
  /// The last error in words, the first 1000 bytes of it.
  public static let errorMessage = "ottla.error.message"
  /// How often the handler was given the record in all.
  public static let attempts = "ottla.attempts"
  /// In a retry topic: which retry it waits for, from 1.
  public static let retryNumber = "ottla.retry.number"
  /// In a retry topic: not to be tried before, in milliseconds since 1970.
  public static let retryDue = "ottla.retry.due"
}

/// What the headers of a record say of its past failures. Headers come from outside: what makes no sense counts as missing.
struct FailureHistory: Equatable {
  var topic: String
  var partition: Int32
  var offset: Int64
  var timestamp: Int64?
  var attempts = 0
  var retryNumber = 0
  var dueMs: Int64?

  /// - Parameter isRetry: whether the record lies in a retry topic; elsewhere such headers mean nothing.
  init(_ place: TopicPartition, _ offset: Int64, timestamp: Int64?, headers: [Header], isRetry: Bool) {
    (topic, partition, self.offset, self.timestamp) = (place.topic, place.partition, offset, timestamp)
    guard isRetry else { return }
    // One writer wrote all of them: the last of a name counts, as it was added last.
    func text(_ name: String) -> String? { headers.last { $0.name == name }?.text }
    func number(_ name: String, _ range: ClosedRange<Int64>) -> Int64? {
      text(name).flatMap { Int64($0) }.flatMap { range.contains($0) ? $0 : nil }
    }
    if let topic = text(FailureHeader.originalTopic),
      let partition = number(FailureHeader.originalPartition, 0...Int64(Int32.max)),
      let offset = number(FailureHeader.originalOffset, 0...Int64.max)
    {
      (self.topic, self.partition, self.offset) = (topic, Int32(partition), offset)
      self.timestamp = number(FailureHeader.originalTimestamp, 0...Int64.max)
    }
    attempts = Int(number(FailureHeader.attempts, 0...1_000_000_000) ?? 0)
    retryNumber = Int(number(FailureHeader.retryNumber, 0...1_000_000) ?? 0)
    dueMs = number(FailureHeader.retryDue, 0...Int64.max)
  }

  /// The headers of the record that goes on: its own, and what is known of its failures.
  func headers(_ own: [Header], group: String?, failure: Failure, retry: (number: Int, dueMs: Int64)?) -> [Header] {
    var headers = own.withoutFailures
    headers += [
      Header(FailureHeader.originalTopic, topic), Header(FailureHeader.originalPartition, "\(partition)"),
      Header(FailureHeader.originalOffset, "\(offset)"),
    ]
    if let timestamp { headers.append(Header(FailureHeader.originalTimestamp, "\(timestamp)")) }
    if let group { headers.append(Header(FailureHeader.group, group)) }
    headers += [
      Header(FailureHeader.errorType, failure.errorType),
      Header(FailureHeader.errorMessage, failure.message.shortened(toBytes: 1000)),
      Header(FailureHeader.attempts, "\(attempts)"),
    ]
    if let retry {
      headers += [
        Header(FailureHeader.retryNumber, "\(retry.number)"), Header(FailureHeader.retryDue, "\(retry.dueMs)"),
      ]
    }
    return headers
  }
}

extension [Header] {
  /// Without those that say something about failures.
  var withoutFailures: [Header] { filter { !$0.name.hasPrefix(FailureHeader.prefix) } }
}

extension String {
  /// As many whole characters as fit into so many bytes.
  func shortened(toBytes limit: Int) -> String {
    guard utf8.count > limit else { return self }
    var end = utf8.index(utf8.startIndex, offsetBy: limit)
    while end > startIndex, end.samePosition(in: unicodeScalars) == nil { end = utf8.index(before: end) }
    return String(self[..<end])
  }
}
