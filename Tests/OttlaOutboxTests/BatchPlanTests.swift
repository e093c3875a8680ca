import Testing

@testable import OttlaOutbox

/// A source of chance that a seed repeats (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}

@Suite struct BatchPlanTests {
  private func row(_ position: Int64, lane: Int64?) -> OutboxRow {
    OutboxRow(
      position: position, lane: lane, message: OutboxMessage(id: "\(position)", topic: "t", value: nil), failureCount: 0
    )
  }

  private func plan(_ lanes: [Int64?], inFlightMax: Int = 10, failuresInARowMax: Int = 100) -> BatchPlan {
    let rows = lanes.enumerated().map { row(Int64($0), lane: $1) }
    return BatchPlan(rows: rows, inFlightMax: inFlightMax, failuresInARowMax: failuresInARowMax)
  }

  private func startAll(_ plan: inout BatchPlan) -> [OutboxRow] {
    var rows: [OutboxRow] = []
    while let row = plan.start() { rows.append(row) }
    return rows
  }

  @Test func oneOfALaneAtATimeAndAllLanesAtOnce() {
    var plan = plan([1, 1, 2, nil, nil])
    let first = startAll(&plan)
    #expect(first.map(\.position) == [0, 2, 3, 4])
    plan.finish(first[0], .sent)
    #expect(startAll(&plan).map(\.position) == [1])
  }

  @Test func aFailureHoldsItsLaneBackAndARefusalDoesNot() {
    var plan = plan([1, 1, 2, 2])
    let first = startAll(&plan)
    plan.finish(first[0], .failed("no"))
    plan.finish(first[1], .refused("never"))
    #expect(startAll(&plan).map(\.position) == [3])
  }

  @Test func afterFailuresInARowTheRestIsLeft() {
    var plan = plan([nil, nil, nil, nil], inFlightMax: 1, failuresInARowMax: 2)
    for _ in 0..<2 { if let row = plan.start() { plan.finish(row, .failed("no")) } }
    #expect(plan.start() == nil)
    #expect(plan.results.count == 2)
  }

  @Test func aSuccessInBetweenForgetsTheFailures() {
    var plan = plan([nil, nil, nil, nil], inFlightMax: 1, failuresInARowMax: 2)
    for result in [BatchPlan.Result.failed("no"), .sent, .failed("no"), .sent] {
      guard let row = plan.start() else { return #expect(Bool(false), "stopped before \(result)") }
      plan.finish(row, result)
    }
    #expect(plan.results.count == 4)
  }

  @Test func whatIsStoppedStartsNothingMore() {
    var plan = plan([1, 1])
    guard let row = plan.start() else { return #expect(Bool(false)) }
    plan.stop()
    plan.finish(row, .sent)
    #expect(plan.start() == nil)
  }

  @Test func failuresWaitLongerEachTime() {
    let rows = [
      OutboxRow(position: 1, lane: nil, message: OutboxMessage(topic: "t", value: nil), failureCount: 3),
      OutboxRow(position: 2, lane: nil, message: OutboxMessage(topic: "t", value: nil), failureCount: 0),
    ]
    var plan = BatchPlan(rows: rows, inFlightMax: 2, failuresInARowMax: 5)
    let started = startAll(&plan)
    plan.finish(started[0], .failed("a"))
    plan.finish(started[1], .sent)
    let retryPause = RetryPause(first: .seconds(1), factor: 2, max: .seconds(60), jitter: 0)
    #expect(
      plan.outcomes(retryPause: retryPause) { 0.5 } == [
        OutboxOutcome(position: 1, result: .failed(reason: "a", delay: .seconds(8))),
        OutboxOutcome(position: 2, result: .sent),
      ])
  }

  /// In any order of ends: a lane's rows are started in order, one at a time, none after a failure, and no more than allowed at once.
  @Test(arguments: 0..<200) func randomWalk(seed: Int) {
    var random = SeededGenerator(UInt64(seed))
    let lanes = (0..<40).map { _ in Bool.random(using: &random) ? Int64.random(in: 0..<6, using: &random) : nil }
    let inFlightMax = Int.random(in: 1...5, using: &random)
    var plan = plan(lanes, inFlightMax: inFlightMax, failuresInARowMax: .max)
    var inFlight: [OutboxRow] = []
    var lastStarted: [Int64: Int64] = [:]
    var failedLanes: Set<Int64> = []
    var startedCount = 0
    while true {
      for row in startAll(&plan) {
        startedCount += 1
        if let lane = row.lane {
          #expect(!failedLanes.contains(lane))
          #expect(!inFlight.contains { $0.lane == lane })
          #expect(lastStarted[lane] ?? -1 < row.position)
          lastStarted[lane] = row.position
        }
        inFlight.append(row)
      }
      #expect(inFlight.count <= inFlightMax)
      guard !inFlight.isEmpty else { break }
      let row = inFlight.remove(at: Int.random(in: 0..<inFlight.count, using: &random))
      switch Int.random(in: 0..<10, using: &random) {
      case 0:
        plan.finish(row, .failed("no"))
        if let lane = row.lane { failedLanes.insert(lane) }
      case 1: plan.finish(row, .refused("never"))
      default: plan.finish(row, .sent)
      }
    }
    #expect(plan.results.count == startedCount)
    // What was not started is of a lane that failed.
    let started = Set(plan.results.map(\.row.position))
    for (position, lane) in lanes.enumerated() where !started.contains(Int64(position)) {
      #expect(lane.map { failedLanes.contains($0) } == true)
    }
  }
}
