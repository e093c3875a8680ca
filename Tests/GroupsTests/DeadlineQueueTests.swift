import Groups
import Primitives
import Testing

@Suite struct DeadlineQueueTests {
  @Test func agreesWithAPlainDictionary() {
    var random = SeededRandom(state: 1)
    var queue = DeadlineQueue<Int>()
    var model: [Int: Int64] = [:]
    for _ in 0..<20_000 {
      let key = Int.random(in: 0..<20, using: &random)
      let time = Int64.random(in: 0..<100, using: &random)
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<6:
        queue.set(key, at: Instant(nanoseconds: time))
        model[key] = time
      case 6..<8:
        queue.cancel(key)
        model[key] = nil
      default:
        let popped = queue.popDue(Instant(nanoseconds: time))
        let soonest = model.values.min()
        if let soonest, soonest <= time {
          #expect(popped.map { model[$0] } == soonest)
          if let popped { model[popped] = nil }
        } else {
          #expect(popped == nil)
        }
      }
      #expect(queue.next?.nanoseconds == model.values.min())
      #expect(queue.count == model.count)
    }
  }

  @Test func equalDeadlinesComeInTheOrderTheyWereSet() {
    var queue = DeadlineQueue<String>()
    for key in ["c", "a", "b"] { queue.set(key, at: Instant(nanoseconds: 5)) }
    #expect((0..<3).map { _ in queue.popDue(Instant(nanoseconds: 5)) } == ["c", "a", "b"])
  }
}
