import Testing

@testable import OttlaOutbox

@Suite struct PublisherScheduleTests {
  typealias Pass = PublisherSchedule.Pass
  let settings: OutboxSettings = {
    var settings = OutboxSettings()
    settings.interval = .seconds(2)
    settings.cleaningInterval = .seconds(60)
    settings.retryPause = RetryPause(first: .seconds(1), factor: 2, max: .seconds(60), jitter: 0)
    return settings
  }()

  @Test func publishesAtOnceThenEveryInterval() {
    var schedule = PublisherSchedule(settings)
    #expect(schedule.step(at: .zero) == .publish)
    schedule.passEnded(Pass(), at: .seconds(1), random: 0.5)
    #expect(schedule.step(at: .seconds(1)) == .sleep(.seconds(2)))
    #expect(schedule.step(at: .seconds(3)) == .publish)
  }

  @Test func doesNotWaitWhileThereIsMore() {
    var schedule = PublisherSchedule(settings)
    schedule.passEnded(Pass(sentCount: 100, isMoreLikely: true), at: .seconds(1), random: 0.5)
    #expect(schedule.step(at: .seconds(1)) == .publish)
    // Some that fail do not slow down the others.
    schedule.passEnded(Pass(sentCount: 1, failedCount: 99, isMoreLikely: true), at: .seconds(1), random: 0.5)
    #expect(schedule.step(at: .seconds(1)) == .publish)
  }

  @Test func waitsLongerWhileNothingSucceeds() {
    var schedule = PublisherSchedule(settings)
    for wait in [1, 2, 4, 8] {
      schedule.passEnded(Pass(failedCount: 5, isMoreLikely: true), at: .zero, random: 0.5)
      #expect(schedule.step(at: .zero) == .sleep(.seconds(wait)))
    }
    schedule.storeFailed(at: .zero, random: 0.5)
    #expect(schedule.step(at: .zero) == .sleep(.seconds(16)))
    schedule.passEnded(Pass(sentCount: 1), at: .zero, random: 0.5)
    schedule.storeFailed(at: .zero, random: 0.5)
    #expect(schedule.step(at: .zero) == .sleep(.seconds(1)))
  }

  @Test func aWakeEndsTheSleepUnlessSomethingFails() {
    var schedule = PublisherSchedule(settings)
    schedule.passEnded(Pass(), at: .seconds(1), random: 0.5)
    schedule.wake(at: .seconds(2))
    #expect(schedule.step(at: .seconds(2)) == .publish)
    schedule.passEnded(Pass(failedCount: 5), at: .seconds(2), random: 0.5)
    schedule.wake(at: .seconds(2))
    #expect(schedule.step(at: .seconds(2)) == .sleep(.seconds(1)))
    schedule.storeFailed(at: .seconds(3), random: 0.5)
    schedule.wake(at: .seconds(3))
    #expect(schedule.step(at: .seconds(3)) == .sleep(.seconds(2)))
    // It is made up for when they are back, once.
    schedule.passEnded(Pass(sentCount: 1), at: .seconds(5), random: 0.5)
    #expect(schedule.step(at: .seconds(5)) == .publish)
    schedule.passEnded(Pass(sentCount: 1), at: .seconds(5), random: 0.5)
    #expect(schedule.step(at: .seconds(5)) == .sleep(.seconds(2)))
    // What was due before is not put off.
    schedule.wake(at: .seconds(9))
    #expect(schedule.step(at: .seconds(7)) == .publish)
  }

  @Test func cleansInBetweenHoweverMuchThereIsToPublish() {
    var schedule = PublisherSchedule(settings)
    schedule.passEnded(Pass(sentCount: 100, isMoreLikely: true), at: .seconds(60), random: 0.5)
    #expect(schedule.step(at: .seconds(60)) == .clean)
    schedule.cleaningEnded(isMoreLikely: true, at: .seconds(60))
    #expect(schedule.step(at: .seconds(60)) == .clean)
    schedule.cleaningEnded(isMoreLikely: false, at: .seconds(60))
    #expect(schedule.step(at: .seconds(60)) == .publish)
    schedule.passEnded(Pass(), at: .seconds(119), random: 0.5)
    #expect(schedule.step(at: .seconds(119)) == .sleep(.seconds(1)))
    schedule.cleaningFailed(at: .seconds(120))
    #expect(schedule.step(at: .seconds(120)) == .sleep(.seconds(1)))
  }
}
