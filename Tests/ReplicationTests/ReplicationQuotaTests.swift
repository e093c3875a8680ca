import Primitives
import Testing

@testable import Replication

@Suite struct ReplicationQuotaTests {
  private let start = Instant(nanoseconds: 5_000_000_000)

  private func isUsedUp(_ quota: ReplicationQuota, _ now: Instant) -> Bool {
    var quota = quota
    return quota.isUsedUp(now: now)
  }

  @Test func theRateHoldsOverAnySpan() {
    for answer in [10, 999, 30_000] {
      var quota = ReplicationQuota(bytesPerSecond: 10_000, now: start)
      var now = start
      var moved: [(at: Instant, bytes: Int)] = []
      while now < start.advanced(byMilliseconds: 20_000) {
        if !quota.isUsedUp(now: now) {
          quota.record(answer, now: now)
          moved.append((now, answer))
        }
        now = now.advanced(byMilliseconds: 1)
      }
      for seconds in [1, 3, 10] as [Int64] {
        for from in stride(from: 0, to: 20 - seconds, by: 1) {
          let begin = start.advanced(byMilliseconds: from * 1000)
          let end = begin.advanced(byMilliseconds: seconds * 1000)
          let sum = moved.filter { begin <= $0.at && $0.at < end }.reduce(0) { $0 + $1.bytes }
          #expect(sum <= Int(seconds + 1) * 10_000 + answer, "\(sum) bytes in \(seconds) s")
        }
      }
      let total = moved.reduce(0) { $0 + $1.bytes }
      #expect(total >= 190_000, "it is used: \(total)")
    }
  }

  @Test func itSaysWhenItIsFree() {
    var quota = ReplicationQuota(bytesPerSecond: 1000, now: start)
    #expect(quota.isFreeAt(now: start) == start)
    quota.record(1500, now: start)
    #expect(isUsedUp(quota, start))
    let free = quota.isFreeAt(now: start)
    #expect((500...502).contains(free.milliseconds(since: start)))
    #expect(!isUsedUp(quota, free))
  }

  @Test func withoutALimitItIsNeverUsedUp() {
    var quota = ReplicationQuota(bytesPerSecond: nil, now: start)
    quota.record(.max / 4, now: start)
    #expect(!isUsedUp(quota, start))
    quota.limit(to: 0, now: start)
    #expect(isUsedUp(quota, start.advanced(byMilliseconds: 100_000)))
    #expect(quota.isFreeAt(now: start) > start)
    quota.limit(to: nil, now: start)
    #expect(!isUsedUp(quota, start))
  }

  @Test func aDebtIsNotCarriedOverToAnotherRateForLongerThanASecond() {
    var quota = ReplicationQuota(bytesPerSecond: 10, now: start)
    quota.record(1_000_000, now: start)
    quota.limit(to: 1000, now: start)
    #expect(isUsedUp(quota, start.advanced(byMilliseconds: 900)))
    #expect(!isUsedUp(quota, start.advanced(byMilliseconds: 1100)))
  }
}
