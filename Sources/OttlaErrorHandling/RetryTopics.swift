/// Retries that hold nobody up: a record that failed goes to a topic for those that wait as long, and is tried again from there
/// when it is due (Spring's `RetryTopicConfiguration`). The order of the records is given up for it.
///
/// ```swift
/// // 5 attempts: the first, and four after 2, 4, 8 and 16 s, from orders-retry-0 to orders-retry-3
/// let retryTopics = RetryTopics(.exponential(from: .seconds(2), retries: 4))
/// ```
///
/// Three more attempts, a minute apart. Equal waits share a topic, which has a name of your own here:
///
/// ```swift
/// let retryTopics = RetryTopics(.fixed(.seconds(60), retries: 3)) { topic, number in "\(topic)-later-\(number)" }
/// print("\(retryTopics.backOff.retriesMax) retries from \(retryTopics.name("orders", 0))")   // from orders-later-0
/// ```
public struct RetryTopics: Sendable {
  /// How long a record waits before each retry, and how many there are. Its jitter is not used: the records of a topic wait equally
  /// long, so that the first is due first.
  public var backOff: BackOff
  /// The name of the topic for records of `topic`; `number` is 0 for the shortest wait. Different topics and numbers must give
  /// different names.
  public var name: @Sendable (_ topic: String, _ number: Int) -> String

  /// Retries after the waits of `backOff`, one topic for each wait: `orders-retry-0`, `orders-retry-1`, and so on.
  public init(
    _ backOff: BackOff,
    name: @escaping @Sendable (_ topic: String, _ number: Int) -> String = { "\($0)-retry-\($1)" }
  ) {
    self.backOff = backOff
    self.name = name
  }

  /// The waits that differ, from the first on. Equal waits share a topic, and after many different ones the last does for the rest.
  var waits: [Duration] {
    var waits: [Duration] = []
    var number = 1
    while waits.count < Self.topicsMax, let wait = backOff.wait(beforeRetry: number), wait != waits.last {
      waits.append(wait)
      number += 1
    }
    return waits
  }

  private static let topicsMax = 32

  /// The topic and the wait before a retry, from 1; nil where there is none any more.
  func topic(for topic: String, retry number: Int) -> (name: String, wait: Duration)? {
    guard backOff.wait(beforeRetry: number) != nil else { return nil }
    let waits = waits
    let place = min(number, waits.count) - 1
    return (name(topic, place), waits[place])
  }

  /// All topics for records of `topic`, in order of their waits.
  func names(for topic: String) -> [String] { waits.indices.map { name(topic, $0) } }
}
