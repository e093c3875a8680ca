import Testing

@testable import OttlaClient

@Suite struct FetchPressureTests {
  private func nudges(_ pressure: inout FetchPressure) -> Bool { pressure.takeNudge() }

  @Test func saysOnceWhenHalfOfWhatWasFullIsFree() {
    var isDue: Bool
    var pressure = FetchPressure(recordsMax: 1000, bytesMax: 1_000_000)
    pressure.note(taken: 100, bytes: 10_000, left: 800)
    isDue = nudges(&pressure)
    #expect(!isDue)
    pressure.note(taken: 100, bytes: 10_000, left: 900)
    pressure.note(taken: 100, bytes: 10_000, left: 501)
    isDue = nudges(&pressure)
    #expect(!isDue)
    pressure.note(taken: 100, bytes: 10_000, left: 500)
    isDue = nudges(&pressure)
    #expect(isDue)
    isDue = nudges(&pressure)
    #expect(!isDue)
    pressure.note(taken: 100, bytes: 10_000, left: 0)
    isDue = nudges(&pressure)
    #expect(!isDue)
  }

  @Test func bytesFillItToo() {
    var isDue: Bool
    var pressure = FetchPressure(recordsMax: 1000, bytesMax: 1_000_000)
    pressure.note(taken: 10, bytes: 100_000, left: 90)
    pressure.note(taken: 10, bytes: 100_000, left: 51)
    isDue = nudges(&pressure)
    #expect(!isDue)
    pressure.note(taken: 10, bytes: 100_000, left: 50)
    isDue = nudges(&pressure)
    #expect(isDue)
    pressure.note(taken: 0, bytes: 0, left: 5000)
    isDue = nudges(&pressure)
    #expect(!isDue)
  }
}
