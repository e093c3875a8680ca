import Testing

@testable import Runtime

@Suite struct BackgroundPaceTests {
  @Test func whatIsSpentIsPaidForInTime() {
    let rate = ByteRate()
    #expect(rate.spend(1000, bytesPerSecondMax: 1000, now: 0) == 1_000_000_000)
    #expect(rate.spend(500, bytesPerSecondMax: 1000, now: 0) == 1_500_000_000, "others of its kind pay too")
    #expect(rate.spend(500, bytesPerSecondMax: 1000, now: 9_000_000_000) == 9_500_000_000, "time unused is no credit")
  }

  @Test func noLimitIsNoWaiting() {
    let rate = ByteRate()
    #expect(rate.spend(.max, bytesPerSecondMax: .greatestFiniteMagnitude, now: 7) == 7)
  }

  @Test func absurdRatesDoNotTrap() {
    #expect(ByteRate().spend(.max, bytesPerSecondMax: 1e-300, now: 0) > 0)
  }

  @Test func aStopEndsTheWaiting() {
    let pace = BackgroundPace(ByteRate())
    pace.stop()
    pace.spend(1 << 30, bytesPerSecondMax: 1)
    #expect(pace.mustStop)
  }
}
