import Testing

@testable import limit_service

@Suite struct DayTests {
  private func day(_ ms: Int64, _ offset: String) throws -> String {
    "\(Day(ofMs: ms, offset: try #require(UTCOffset(offset))))"
  }

  @Test func aDayBeginsAtTheMidnightOfItsZone() throws {
    // 2026-11-29 16:59:59.999 and 17:00:00 UTC: midnight in Vietnam lies between.
    let lastOfDay: Int64 = 1_795_971_599_999
    #expect(try day(lastOfDay, "+07:00") == "2026-11-29")
    #expect(try day(lastOfDay + 1, "+07:00") == "2026-11-30")
    #expect(try day(lastOfDay + 1, "+00:00") == "2026-11-29")
    #expect(try day(lastOfDay + 1, "-12:00") == "2026-11-29")
    #expect(try day(0, "-00:01") == "1969-12-31")
    #expect(try day(-1, "+00:00") == "1969-12-31")
    #expect(try day(-Day.milliseconds, "+00:00") == "1969-12-31")
    #expect(try day(-Day.milliseconds - 1, "+00:00") == "1969-12-30")
  }

  @Test func datesAreThoseOfTheCalendar() {
    #expect("\(Day(number: 0))" == "1970-01-01")
    #expect("\(Day(number: 11_016))" == "2000-02-29")
    #expect("\(Day(number: 11_017))" == "2000-03-01")
    #expect("\(Day(number: 47_540))" == "2100-02-28")
    #expect("\(Day(number: 47_541))" == "2100-03-01")
    // Each day follows the one before.
    var texts: Set<String> = []
    for number in -1000...50_000 as ClosedRange<Int64> { texts.insert("\(Day(number: number))") }
    #expect(texts.count == 51_001)
  }

  @Test func anOffsetIsWrittenInOneWay() {
    #expect(UTCOffset("+07:00")?.minutes == 420)
    #expect(UTCOffset("-03:30")?.minutes == -210)
    #expect(UTCOffset("+14:00")?.minutes == 840)
    for wrong in ["", "7", "07:00", "+7:00", "+07:60", "+14:01", "+0a:00", "+07.00", "+07:000", "\u{2212}07:00"] {
      #expect(UTCOffset(wrong) == nil, "\(wrong)")
    }
  }
}
