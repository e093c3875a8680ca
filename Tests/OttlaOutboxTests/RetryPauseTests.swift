import Testing

@testable import OttlaOutbox

@Suite struct RetryPauseTests {
  let retryPause = RetryPause(first: .seconds(1), factor: 2, max: .seconds(60), jitter: 0.2)

  @Test func doublesUpToTheLimit() {
    let delays = (1...8).map { retryPause.delay(afterFailures: $0, random: 0.5) }
    #expect(delays == [1, 2, 4, 8, 16, 32, 60, 60].map { .seconds($0) })
    #expect(retryPause.delay(afterFailures: .max, random: 0.5) == .seconds(60))
    #expect(retryPause.delay(afterFailures: 0, random: 0.5) == .seconds(1))
  }

  @Test func chanceMovesADelayByHalfItsShareEachWayAndNeverOverTheLimit() {
    var retryPause = retryPause
    retryPause.jitter = 0.5
    #expect(retryPause.delay(afterFailures: 1, random: 0) == .milliseconds(750))
    #expect(retryPause.delay(afterFailures: 2, random: 0.75) == .milliseconds(2250))
    #expect(retryPause.delay(afterFailures: 9, random: 0.999) == .seconds(60))
  }

  @Test func nonsenseDoesNoHarm() {
    let odd = RetryPause(first: .seconds(1), factor: -3, max: .seconds(5), jitter: 7)
    for count in [-5, 0, 1, 100] {
      let delay = odd.delay(afterFailures: count, random: 0.9)
      #expect(delay >= .zero && delay <= .seconds(5))
    }
  }
}
