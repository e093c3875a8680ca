import Primitives
import Testing

@testable import OttlaTesting

@Suite struct OffsetClockTests {
  @Test func bothClocksAreMovedAndGoOn() {
    let clock = OffsetClock()
    let before = (clock.now(), clock.wallClock())
    clock.move(nanoseconds: Duration.days(7).wholeNanoseconds)
    let after = (clock.now(), clock.wallClock())
    let days = (
      after.0.milliseconds(since: before.0), after.1.milliseconds - before.1.milliseconds
    )
    #expect((604_800_000..<604_860_000).contains(days.0) && (604_800_000..<604_860_000).contains(days.1))
    #expect(clock.now() >= after.0)
    #expect(clock.aheadNanoseconds == 604_800_000_000_000)
  }

  @Test func durationsAreWhatTheySay() {
    #expect(Duration.days(2) == .hours(48) && .hours(2) == .minutes(120) && Duration.minutes(1) == .seconds(60))
    #expect(BrokerClock.stepMax.wholeNanoseconds == 36_500 * 86_400_000_000_000)
    #expect(Duration.milliseconds(1500).wholeNanoseconds == 1_500_000_000)
  }
}
