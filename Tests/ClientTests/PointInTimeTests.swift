import Client
import Testing

@Suite struct PointInTimeTests {
  @Test(arguments: [
    ("0", 0), ("1795178662382", 1_795_178_662_382), ("1970-01-01", 0), ("1970-01-01T00:00:01Z", 1000),
    ("2026-11-20T12:30", 1_795_177_800_000), ("2026-11-20T19:30+07:00", 1_795_177_800_000),
    ("2026-11-20 12:30:15.250Z", 1_795_177_815_250), ("2000-02-29", 951_782_400_000), ("1970-01-01T01:00+01", 0),
  ])
  func readsTimes(_ text: String, _ expected: Int64) { #expect(PointInTime.milliseconds(text) == expected) }

  @Test(arguments: [
    "", "-1", "2026-", "2026-13-01", "2026-02-29", "2026-00-01", "2026-01-01T", "2026-01-01T24:00", "2026-01-01T12:60",
    "2026-01-01T12:00X", "2026-01-01T12:00:00.5", "2026-01-01T12:00+7", "1970-01-01T00:00+01:00",
    "99999999999999999999",
  ])
  func refusesWhatIsNoTime(_ text: String) { #expect(PointInTime.milliseconds(text) == nil) }

  @Test func writesWhatItReads() {
    var time: Int64 = 0
    while time < 253_402_300_799_999 {
      #expect(PointInTime.milliseconds(PointInTime.text(time)) == time)
      time += 86_399_999 * 997
    }
    #expect(PointInTime.text(-1) == "1969-12-31T23:59:59.999Z")
  }
}
