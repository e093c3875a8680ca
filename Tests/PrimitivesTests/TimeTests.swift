import Primitives
import Testing

@Suite struct TimeTests {
  @Test func timeIsAddedInMilliseconds() {
    let start = Instant(nanoseconds: 5)
    #expect(start.advanced(byMilliseconds: 3) == Instant(nanoseconds: 3_000_005))
    #expect(start.advanced(byMilliseconds: 3).milliseconds(since: start) == 3)
    #expect(start.advanced(byMilliseconds: -1).milliseconds(since: start) == -1)
  }

  /// Clients send any number: no sum may trap, and a long wait must not become a short one.
  @Test(arguments: [Int64.max, Int64.max / 1_000_000, Int64.max / 1_000_000 + 1, Int64(1) << 60])
  func tooLongIsForEver(milliseconds: Int64) {
    #expect(Instant(nanoseconds: .max - 10).advanced(byMilliseconds: milliseconds) == .distantFuture)
    #expect(
      Instant(nanoseconds: 1 << 40).advanced(byMilliseconds: milliseconds) > Instant(nanoseconds: .max - (1 << 41)))
  }

  @Test func tooFarBackIsNotBackAtAll() {
    let start = Instant(nanoseconds: -1_000_000)
    #expect(start.advanced(byMilliseconds: .min) == start)
    #expect(start.advanced(byMilliseconds: .min / 1_000_000) == start)
  }

  @Test func theDistantFutureStaysWhereItIs() {
    #expect(Instant.distantFuture.advanced(byMilliseconds: 1) == .distantFuture)
    #expect(Instant(nanoseconds: .max - 1) < .distantFuture)
  }
}
