import Primitives
import TestSupport
import Testing

@testable import Broker

@Suite struct TimerWheelTests {
  private struct Waiting {
    let number: Int
    let deadline: Instant
  }

  /// Distances of every width of wheel, and some beyond all of them.
  private func distanceMs(_ random: SeededRandom) -> Int64 {
    let magnitude = Int64(1) << Int64(random.below(36))
    return random.chance(oneIn: 8) ? 0 : magnitude + Int64(random.next() % UInt64(magnitude))
  }

  @Test(arguments: UInt64(1)...30) func everyTimerFiresOnceAndNeverEarlyOrIsTakenBack(seed: UInt64) {
    let random = SeededRandom(seed: seed)
    var now = Instant(nanoseconds: Int64(random.next() % 1_000_000_000_000_000))
    var wheel = TimerWheel<Int>(at: now)
    var waiting: [Int: Instant] = [:]
    var ids: [Int: TimerID] = [:]
    var next = 0
    for _ in 0..<400 {
      for _ in 0..<random.below(4) {
        let deadline = Instant(
          nanoseconds: now.advanced(byMilliseconds: distanceMs(random)).nanoseconds + Int64(random.below(1_000_000)))
        ids[next] = wheel.schedule(next, at: deadline)
        waiting[next] = deadline
        next += 1
      }
      if random.chance(oneIn: 3), next > 0 {
        // One that waits, or one that has fired or was taken back before.
        let number = random.below(next)
        if let id = ids[number] { wheel.cancel(id) }
        waiting[number] = nil
      }
      #expect(wheel.count == waiting.count)
      if let earliest = waiting.values.min() {
        let announced = wheel.nextDeadline
        #expect(announced != nil && announced! <= earliest.advanced(byMilliseconds: 1), "the loop would sleep too long")
      }
      // To the announced deadline, a short way, or far beyond everything.
      switch random.below(4) {
      case 0: now = max(now, wheel.nextDeadline ?? now)
      case 1: now = now.advanced(byMilliseconds: distanceMs(random))
      default: now = Instant(nanoseconds: now.nanoseconds + Int64(random.below(5_000_000)))
      }
      var last = Int64.min
      for number in wheel.advance(to: now) {
        guard let deadline = waiting.removeValue(forKey: number) else {
          Issue.record("timer \(number) fired twice")
          continue
        }
        #expect(deadline <= now, "timer \(number) fired early")
        let tick = deadline.nanoseconds / 1_000_000
        #expect(tick >= last, "timers fire in the order of their deadlines")
        last = tick
      }
      let late = waiting.values.filter { $0.advanced(byMilliseconds: 1) <= now }
      #expect(late.isEmpty, "\(late.count) timers are late")
    }
    let rest = wheel.advance(to: now.advanced(byMilliseconds: 1 << 37))
    #expect(Set(rest) == Set(waiting.keys) && rest.count == waiting.count, "timers were lost")
  }

  @Test func whoFollowsTheAnnouncedDeadlinesMissesNothing() {
    let random = SeededRandom(seed: 3)
    var now = Instant(nanoseconds: 5_000_000_000)
    var wheel = TimerWheel<Int>(at: now)
    var waiting: [Int: Instant] = [:]
    for number in 0..<200 {
      let deadline = now.advanced(byMilliseconds: distanceMs(random))
      waiting[number] = deadline
      wheel.schedule(number, at: deadline)
    }
    var steps = 0
    while let next = wheel.nextDeadline {
      #expect(next > now)
      now = next
      for number in wheel.advance(to: now) {
        let deadline = waiting.removeValue(forKey: number)
        #expect(deadline.map { $0 <= now && now <= $0.advanced(byMilliseconds: 1) } == true)
      }
      steps += 1
      if steps > 200_000 { break }
    }
    #expect(waiting.isEmpty)
  }

  @Test func theDistantFutureNeverComes() {
    var now = Instant(nanoseconds: 0)
    var wheel = TimerWheel<Int>(at: now)
    wheel.schedule(1, at: .distantFuture)
    for _ in 0..<100 {
      now = now.advanced(byMilliseconds: 3_600_000)
      #expect(wheel.advance(to: now).isEmpty)
    }
    #expect(wheel.nextDeadline != nil)
  }

  @Test func whatIsPastFiresAtTheNextTick() {
    let now = Instant(nanoseconds: 7_000_000_000)
    var wheel = TimerWheel<Int>(at: now)
    wheel.schedule(1, at: Instant(nanoseconds: 0))
    #expect(wheel.advance(to: now).isEmpty)
    #expect(wheel.advance(to: now.advanced(byMilliseconds: 1)) == [1])
    #expect(wheel.nextDeadline == nil)
  }
}
