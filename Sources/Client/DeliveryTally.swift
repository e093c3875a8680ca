/// How the records sent so far have ended.
package struct DeliveryTally: Hashable, Sendable {
  /// Records the brokers acknowledged, and the bytes of their keys and values.
  package var delivered = 0
  package var deliveredBytes = 0
  /// Records given up.
  package var failed = 0
  /// Why, in librdkafka's words, and how often; at most `reasonsMax` kinds.
  package var reasons: [String: Int] = [:]

  static let reasonsMax = 16

  package init() {}

  mutating func recordFailure(_ reason: String) {
    failed += 1
    if reasons[reason] != nil || reasons.count < Self.reasonsMax { reasons[reason, default: 0] += 1 }
  }

  /// The reasons as one line, the most frequent first.
  package var summary: String {
    reasons.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
      .map { "\($0.key) (\($0.value))" }.joined(separator: "; ")
  }
}
