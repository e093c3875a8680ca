import TestSupport
import Testing

@testable import Broker

@Suite struct ReconnectBackoffTests {
  @Test func pausesDoubleUpToASecondAndVary() {
    let random = SeededRandom(seed: 3)
    var backoff = ReconnectBackoff()
    var usual: Int64 = 50
    for _ in 0..<100 {
      backoff.noteFailure()
      let delays = Set((0..<50).map { _ in backoff.delayMs(random: random.next()) })
      #expect(delays.count > 5, "brokers that lost the same one must not come back together")
      #expect(delays.allSatisfy { $0 >= usual * 4 / 5 && $0 <= usual * 6 / 5 }, "\(usual): \(delays.sorted())")
      usual = min(usual * 2, 1000)
    }
    backoff.noteAnswer()
    backoff.noteFailure()
    #expect(backoff.delayMs(random: 0) == 40)
  }

  @Test func setupTimeoutsDoubleFromTheFirstToTheLongest() {
    var backoff = ReconnectBackoff()
    let mean = { (backoff: ReconnectBackoff) in backoff.setupTimeoutMs(first: 10_000, max: 30_000, random: 200) }
    #expect(mean(backoff) == 10_000)
    backoff.noteFailure()
    #expect(mean(backoff) == 20_000)
    backoff.noteFailure()
    #expect(mean(backoff) == 30_000)
    backoff.noteFailure()
    #expect(mean(backoff) == 30_000)
  }

  @Test(arguments: [UInt64.min, UInt64.max, 400, 401])
  func anySettingIsHarmless(random: UInt64) {
    var backoff = ReconnectBackoff()
    for _ in 0..<40 {
      backoff.noteFailure()
      #expect(backoff.setupTimeoutMs(first: .max, max: .max, random: random) > 0)
      #expect(backoff.setupTimeoutMs(first: 1, max: .max, random: random) > 0)
      #expect(backoff.setupTimeoutMs(first: 30_000, max: 1, random: random) == 1)
    }
  }
}
