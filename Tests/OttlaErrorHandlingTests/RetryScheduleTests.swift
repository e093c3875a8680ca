import Testing

@testable import OttlaErrorHandling

@Suite struct RetryScheduleTests {
  private typealias Schedule = RetrySchedule<Int, String>
  private let start = ContinuousClock.now

  @Test func aRecordIsTriedAgainWhenItIsDueUntilItIsUsedUp() {
    var random = SeededRandom(seed: 1)
    var schedule = Schedule(.fixed(.seconds(1), retries: 2))
    let first = schedule.failed("a", of: 0, triesCount: 1, .retriable, now: start, using: &random)
    #expect(first == .retry(at: start + .seconds(1)))
    #expect(schedule.isWaiting(0) && schedule.nextDue == start + .seconds(1))
    #expect(schedule.takeDue(now: start + .milliseconds(999))?.place == nil)
    let later = start + .seconds(1)
    let due = schedule.takeDue(now: later)
    #expect(due?.place == 0 && due?.record == "a" && !schedule.isWaiting(0) && schedule.isEmpty)
    let second = schedule.failed("a", of: 0, triesCount: 2, .retriable, now: later, using: &random)
    #expect(second == .retry(at: later + .seconds(1)))
    _ = schedule.takeDue(now: later + .seconds(1))
    let third = schedule.failed("a", of: 0, triesCount: 3, .retriable, now: later, using: &random)
    #expect(third == .usedUp && schedule.isEmpty)
  }

  @Test func whatIsFatalIsNotTriedAgain() {
    var random = SeededRandom(seed: 1)
    var schedule = Schedule(.fixed(.seconds(1), retries: 2))
    #expect(schedule.failed("a", of: 0, triesCount: 1, .fatal, now: start, using: &random) == .usedUp)
  }

  @Test func theOneThatIsDueForLongestComesFirstAndTheForgottenNever() {
    var random = SeededRandom(seed: 1)
    var schedule = Schedule(.exponential(from: .seconds(1), retries: 5))
    for (place, tries) in [(3, 2), (1, 3), (2, 1), (0, 1)] {
      _ = schedule.failed("\(place)", of: place, triesCount: tries, .retriable, now: start, using: &random)
    }
    schedule.forget(2)
    schedule.wait("early", of: 4, until: start)
    var order: [Int] = []
    while let due = schedule.takeDue(now: start + .seconds(60)) { order.append(due.place) }
    #expect(order == [4, 0, 3, 1])
  }
}
