import Testing

@testable import limit_service

@Suite struct DailyLimitTests {
  @Test(arguments: [1, 3, 10]) func exactlyOneBookingOfADayIsTold(_ perDay: Int) {
    let limit = DailyLimit(perDay: perDay)
    let verdicts = (1...3 * perDay + 5).map { limit.verdict(onBooking: $0) }
    #expect(verdicts.prefix(perDay).allSatisfy { $0 == .accepted })
    #expect(verdicts[perDay] == .refusedAndTold)
    #expect(verdicts.dropFirst(perDay + 1).allSatisfy { $0 == .refused })
  }
}
