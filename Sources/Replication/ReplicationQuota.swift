package import Primitives

/// How many bytes a second throttled replicas may move, and whether they have: Kafka's `ReplicationQuotaManager`.
///
/// What is moved beyond the rate is owed, and nothing more begins until the time has paid for it. So the rate holds over any
/// span, but for one second's worth and one answer. Kafka measures the last eleven seconds instead.
package struct ReplicationQuota: Sendable {
  /// nil for no limit.
  package private(set) var bytesPerSecond: Int64?
  /// What may be moved at once; below zero it is owed.
  private var credit: Double
  private var paidAt: Instant

  package init(bytesPerSecond: Int64?, now: Instant) {
    self.bytesPerSecond = bytesPerSecond
    credit = Double(bytesPerSecond ?? 0)
    paidAt = now
  }

  /// Another rate holds from now on.
  package mutating func limit(to bytesPerSecond: Int64?, now: Instant) {
    guard bytesPerSecond != self.bytesPerSecond else { return }
    pay(now)
    // What was owed at another rate is owed no longer than a second at this one.
    let most = Double(bytesPerSecond ?? 0)
    credit = self.bytesPerSecond == nil ? most : max(-most, min(credit, most))
    self.bytesPerSecond = bytesPerSecond
  }

  /// Whether no throttled replica may move more now.
  package mutating func isUsedUp(now: Instant) -> Bool {
    guard bytesPerSecond != nil else { return false }
    pay(now)
    return credit <= 0
  }

  /// Throttled replicas have moved so many bytes.
  package mutating func record(_ byteCount: Int, now: Instant) {
    guard bytesPerSecond != nil else { return }
    pay(now)
    credit -= Double(byteCount)
  }

  /// When more may be moved, as things are; a second from now at the latest, for the rate may change.
  package func isFreeAt(now: Instant) -> Instant {
    guard let bytesPerSecond, credit <= 0 else { return now }
    let wait = bytesPerSecond > 0 ? min(1000, -credit / Double(bytesPerSecond) * 1000 + 1) : 1000
    return now.advanced(byMilliseconds: max(1, Int64(wait)))
  }

  private mutating func pay(_ now: Instant) {
    guard let bytesPerSecond, now > paidAt else { return }
    let seconds = Double(now.nanoseconds - paidAt.nanoseconds) / 1e9
    credit = min(Double(bytesPerSecond), credit + seconds * Double(bytesPerSecond))
    paidAt = now
  }
}
