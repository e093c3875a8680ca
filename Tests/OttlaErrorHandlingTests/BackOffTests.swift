import Testing

@testable import OttlaErrorHandling

@Suite struct BackOffTests {
  @Test func aFixedBackOffWaitsTheSameEachTime() {
    let backOff = BackOff.fixed(.seconds(1), retries: 2)
    #expect((0...3).map { backOff.wait(beforeRetry: $0) } == [nil, .seconds(1), .seconds(1), nil])
  }

  @Test func anExponentialOneGrowsUpToItsLimit() {
    let backOff = BackOff.exponential(from: .seconds(2), upTo: .seconds(10), retries: 5)
    let waits = (1...6).map { backOff.wait(beforeRetry: $0) }
    #expect(waits == [.seconds(2), .seconds(4), .seconds(8), .seconds(10), .seconds(10), nil])
  }

  @Test func noNumberIsTooLargeOrTooOdd() {
    let forEver = BackOff.exponential(from: .milliseconds(1), multiplier: 10, upTo: .seconds(5), retries: .max)
    #expect(forEver.wait(beforeRetry: .max) == .seconds(5))
    #expect(BackOff.exponential(from: .seconds(1), multiplier: .nan, retries: 3).wait(beforeRetry: 3) == .seconds(1))
    #expect(BackOff.exponential(from: .seconds(1), multiplier: .infinity, retries: 3).multiplier == 1)
    #expect(BackOff.fixed(.seconds(-1), retries: -1).wait(beforeRetry: 1) == nil)
    #expect(BackOff.exponential(from: .zero, retries: 3).wait(beforeRetry: 3) == .zero)
    #expect(BackOff.none.wait(beforeRetry: 1) == nil)
    let endless = BackOff.exponential(
      from: .seconds(Int64.max), multiplier: 1e300, upTo: .seconds(Int64.max), retries: .max)
    #expect(endless.wait(beforeRetry: .max) == .seconds(315_360_000))
  }

  @Test func jitterOnlyShortensAWait() {
    var random = SeededRandom(seed: 17)
    let backOff = BackOff.exponential(from: .seconds(8), multiplier: 1, retries: .max, jitter: 0.25)
    let waits = (1...500).compactMap { backOff.wait(beforeRetry: $0, using: &random) }
    #expect(waits.count == 500 && waits.allSatisfy { $0 >= .seconds(6) && $0 <= .seconds(8) })
    #expect(waits.min()! < .milliseconds(6200) && waits.max()! > .milliseconds(7800))
  }
}
