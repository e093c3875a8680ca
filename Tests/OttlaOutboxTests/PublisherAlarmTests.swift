import Testing

@testable import OttlaOutbox

@Suite struct PublisherAlarmTests {
  @Test(.timeLimit(.minutes(1))) func itEndsTheSleepOfAll() async {
    let alarm = PublisherAlarm()
    let seen = alarm.ringCount
    let sleepers = (0..<5).map { _ in Task { await alarm.sleep(for: .seconds(3600), since: seen) } }
    await Task.yield()
    alarm.ring()
    for sleeper in sleepers { await sleeper.value }
    // Who comes late has missed nothing.
    await alarm.sleep(for: .seconds(3600), since: seen)
    #expect(alarm.ringCount == seen + 1)
  }

  @Test(.timeLimit(.minutes(1))) func timeAndCancellingEndItToo() async {
    let alarm = PublisherAlarm()
    let clock = ContinuousClock()
    let start = clock.now
    await alarm.sleep(for: .milliseconds(20), since: alarm.ringCount)
    #expect(clock.now - start >= .milliseconds(20))
    let sleeper = Task { await alarm.sleep(for: .seconds(3600), since: alarm.ringCount) }
    sleeper.cancel()
    await sleeper.value
  }
}
