/// How long to wait before the next connection to a broker that did not answer the last one, and how long to wait for it:
/// longer with each failure, and never the same for two brokers, so that those who lost one do not all come back at once.
struct ReconnectBackoff {
  /// Connections since the last answer that led to none.
  private(set) var failureCount = 0

  /// The first pause and the longest, in ms (Kafka's reconnect.backoff.ms and reconnect.backoff.max.ms).
  static let delayMsMin: Int64 = 50
  static let delayMsMax: Int64 = 1000

  mutating func noteFailure() { failureCount = min(failureCount + 1, 32) }
  mutating func noteAnswer() { failureCount = 0 }

  /// The pause after the latest failure, in ms; `random` is 64 bits of chance.
  func delayMs(random: UInt64) -> Int64 {
    Self.jittered(Self.doubled(Self.delayMsMin, times: max(0, failureCount - 1), max: Self.delayMsMax), random)
  }

  /// How long the next connection may take to come about, in ms.
  func setupTimeoutMs(first: Int64, max: Int64, random: UInt64) -> Int64 {
    Self.jittered(Self.doubled(first, times: failureCount, max: max), random)
  }

  private static func doubled(_ value: Int64, times: Int, max: Int64) -> Int64 {
    var value = min(value, max)
    for _ in 0..<times where value < max { value = value > max / 2 ? max : value * 2 }
    return value
  }

  /// Between four and six fifths of it.
  private static func jittered(_ value: Int64, _ random: UInt64) -> Int64 {
    let value = min(value, Int64(Int32.max))
    let permille = 800 + Int64(random % 401)
    return max(1, value * permille / 1000)
  }
}
