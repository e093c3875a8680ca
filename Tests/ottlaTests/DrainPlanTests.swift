import Primitives
import Testing

@testable import ottla

@Suite("DrainPlan")
struct DrainPlanTests {
  @Test("the broker becomes the last replica, and leaderships go to those with fewest")
  func moves() {
    let seen = view(
      [
        partition("t", 0, [1, 2, 3]), partition("t", 1, [1, 2, 3]), partition("t", 2, [1, 2, 3]),
        partition("t", 3, [1, 2, 3]), partition("t", 4, [2, 1, 3]),
      ], brokers: brokers(1...3))
    let drain = DrainPlan(seen, draining: 1)
    #expect(drain.stuck.isEmpty)
    #expect(drain.led.count == 4)
    let firsts = drain.plan.moves.map { $0.to.first }
    // Broker 2 leads one already.
    #expect(firsts.count { $0 == 3 } == 2 && firsts.count { $0 == 2 } == 2)
    for move in drain.plan.moves {
      #expect(move.to.last == 1 && Set(move.to) == Set(move.from))
      #expect(!move.copies)
    }
    #expect(!drain.plan.moves.contains { $0.partition.partition == 4 })
  }

  @Test("only a replica in sync is chosen, and what nobody else can lead is named with the reason")
  func stuck() {
    let seen = view(
      [
        partition("t", 0, [1, 2, 3], isr: [1, 3]), partition("t", 1, [1]), partition("t", 2, [1, 2], isr: [1]),
        partition("t", 3, [1, 2], isMoving: true),
      ], brokers: brokers(1...3))
    let drain = DrainPlan(seen, draining: 1)
    #expect(drain.plan.moves.map(\.to) == [[3, 2, 1]])
    #expect(drain.stuck[TopicPartition("t", 1)] == "it has no other replica")
    #expect(drain.stuck[TopicPartition("t", 2)] == "no other replica is in sync")
    #expect(drain.stuck[TopicPartition("t", 3)] == "its replicas are on the move")
    #expect(drain.stuck.count == 3)
  }

  @Test("a partition that it is preferred for and does not lead at present is reordered too")
  func preferredOnly() {
    let drain = DrainPlan(view([partition("t", 0, [1, 2], leader: 2)], brokers: brokers(1...2)), draining: 1)
    #expect(drain.plan.moves.map(\.to) == [[2, 1]])
    #expect(drain.led.isEmpty)
  }
}
