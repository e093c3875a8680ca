import Observability
import Primitives
import Testing

@Suite struct RepeatedLineTests {
  @Test func oneLineASecondAndTheNumberOfTheOthers() {
    var line = RepeatedLine()
    let start = Instant(nanoseconds: 5_000_000_000)
    #expect(line.admit(at: start) == 0)
    for millisecond in 1...9 {
      #expect(line.admit(at: start.advanced(byMilliseconds: Int64(millisecond * 100))) == nil)
    }
    #expect(line.admit(at: start.advanced(byMilliseconds: 1000)) == 9)
    #expect(line.admit(at: start.advanced(byMilliseconds: 5000)) == 0)
  }
}
