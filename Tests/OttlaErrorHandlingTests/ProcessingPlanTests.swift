import OttlaClient
import Testing

@testable import OttlaErrorHandling

@Suite struct ProcessingPlanTests {
  private typealias Plan = ProcessingPlan<ModelRecord>
  private struct Broken: Error {}
  private let start = ContinuousClock.now
  private let first = TopicPartition("t", 0)
  private let second = TopicPartition("t", 1)

  private func plan(
    _ order: ProcessingOrder = .partition, concurrencyMax: Int = 4, windowRecordsMax: Int = 4,
    backOff: BackOff = .fixed(.seconds(1), retries: 1)
  ) -> Plan {
    var plan = Plan(
      order: order,
      limits: Plan.Limits(
        concurrencyMax: concurrencyMax, windowRecordsMax: windowRecordsMax, windowBytesMax: 1 << 20),
      backOff: backOff, recoveryBackOff: .fixed(.seconds(1), retries: .max), seed: 1)
    plan.assign([first, second])
    return plan
  }

  private func record(_ offset: Int64, _ partition: TopicPartition? = nil, key: UInt8? = nil) -> ModelRecord {
    ModelRecord(topicPartition: partition ?? first, offset: offset, key: key.map { [$0] }, epoch: 1)
  }

  private func failed(_ kind: ErrorKind = .retriable) -> Plan.Result { .failed(Failure(error: Broken(), kind: kind)) }

  /// What the plan says, as text: kind, partition, offset; tickets of what is begun.
  private func take(_ plan: inout Plan, _ tickets: inout [String: UInt64]) -> [String] {
    plan.takeOutcomes().map { outcome in
      switch outcome {
      case .start(let ticket, let record, let tryNumber):
        tickets["\(record.topicPartition.partition):\(record.offset)"] = ticket
        return "start \(record.topicPartition.partition):\(record.offset) \(tryNumber)"
      case .recover(let ticket, let record, let tries, _):
        tickets["\(record.topicPartition.partition):\(record.offset)"] = ticket
        return "recover \(record.topicPartition.partition):\(record.offset) \(tries)"
      case .willRetry(let record, _, _, _): return "retry \(record.topicPartition.partition):\(record.offset)"
      case .store(let record): return "store \(record.topicPartition.partition):\(record.offset)"
      case .pause(let partition): return "pause \(partition.partition)"
      case .resume(let partition): return "resume \(partition.partition)"
      }
    }
  }

  @Test func aRetryRestsItsPartitionAndNoOther() throws {
    var plan = plan()
    var tickets: [String: UInt64] = [:]
    for record in [record(0), record(1), record(0, second)] { plan.arrive(record, now: start) }
    #expect(take(&plan, &tickets) == ["start 0:0 1", "start 1:0 1"])
    plan.finish(try #require(tickets["0:0"]), failed(), now: start)
    #expect(take(&plan, &tickets) == ["retry 0:0", "pause 0"])
    plan.finish(try #require(tickets["1:0"]), .done, now: start)
    #expect(take(&plan, &tickets) == ["store 1:0"] && plan.nextDue == start + .seconds(1))
    plan.tick(now: start + .seconds(1))
    #expect(take(&plan, &tickets) == ["resume 0", "start 0:0 2"])
    plan.finish(try #require(tickets["0:0"]), failed(), now: start)
    #expect(take(&plan, &tickets) == ["recover 0:0 2"])
    plan.finish(try #require(tickets["0:0"]), .recoveryFailed, now: start + .seconds(1))
    #expect(take(&plan, &tickets) == ["pause 0"])
    plan.tick(now: start + .seconds(2))
    #expect(take(&plan, &tickets) == ["resume 0", "recover 0:0 2"])
    plan.finish(try #require(tickets["0:0"]), .recovered, now: start + .seconds(2))
    #expect(take(&plan, &tickets) == ["store 0:0", "start 0:1 1"])
  }

  @Test func whatIsFatalIsRecoveredAtOnce() throws {
    var plan = plan()
    var tickets: [String: UInt64] = [:]
    plan.arrive(record(0), now: start)
    _ = take(&plan, &tickets)
    plan.finish(try #require(tickets["0:0"]), failed(.fatal), now: start)
    #expect(take(&plan, &tickets) == ["recover 0:0 1"])
  }

  @Test func keysGoSideBySideAndOnlyTheFirstDoneAreStored() throws {
    var plan = plan(.key)
    var tickets: [String: UInt64] = [:]
    for (offset, key) in [(0, 1), (1, 2), (2, 1)] { plan.arrive(record(Int64(offset), key: UInt8(key)), now: start) }
    #expect(take(&plan, &tickets) == ["start 0:0 1", "start 0:1 1"])
    plan.finish(try #require(tickets["0:1"]), .done, now: start)
    #expect(take(&plan, &tickets) == [])
    plan.finish(try #require(tickets["0:0"]), .done, now: start)
    #expect(take(&plan, &tickets) == ["store 0:1", "start 0:2 1"])
  }

  /// Pausing costs a fetch: it is done only where others are read on.
  @Test func aFullPartitionRestsOnlyForTheSakeOfOthers() throws {
    var plan = plan(.partition, concurrencyMax: 1, windowRecordsMax: 2)
    var tickets: [String: UInt64] = [:]
    for offset: Int64 in 0..<2 { plan.arrive(record(offset), now: start) }
    #expect(take(&plan, &tickets) == ["start 0:0 1", "pause 0"] && plan.wantsRecord)
    for offset: Int64 in 0..<2 { plan.arrive(record(offset, second), now: start) }
    #expect(take(&plan, &tickets) == [] && !plan.wantsRecord)
    plan.finish(try #require(tickets["0:0"]), .done, now: start)
    #expect(take(&plan, &tickets).contains("resume 0"))
  }

  @Test func aRecordBeforeItsTimeWaits() {
    var plan = plan()
    var tickets: [String: UInt64] = [:]
    plan.arrive(record(0), notBefore: start + .seconds(5), now: start)
    #expect(take(&plan, &tickets) == ["pause 0"] && plan.nextDue == start + .seconds(5))
    plan.tick(now: start + .seconds(4))
    #expect(take(&plan, &tickets) == [])
    plan.tick(now: start + .seconds(5))
    #expect(take(&plan, &tickets) == ["resume 0", "start 0:0 1"])
  }

  /// A record from before the partition went and came back arrives late: what is read from the group's position on comes all the same.
  @Test func nothingIsPassedOverWhenARecordArrivesTooLate() throws {
    var plan = plan()
    var tickets: [String: UInt64] = [:]
    plan.endLeaving([first])
    plan.assign([first])
    plan.arrive(record(50), now: start)
    plan.arrive(record(30), now: start)
    #expect(take(&plan, &tickets) == ["start 0:50 1"])
    let late = try #require(tickets["0:50"])
    plan.finish(late, .done, now: start)
    #expect(take(&plan, &tickets) == ["start 0:30 1"])
    plan.finish(try #require(tickets["0:30"]), .done, now: start)
    #expect(take(&plan, &tickets) == ["store 0:30"])
  }

  /// Whoever has the partition next tries again; here nothing more is begun in it.
  @Test func whatFailsWhileItsPartitionLeavesIsNotTriedAgain() throws {
    var plan = plan()
    var tickets: [String: UInt64] = [:]
    plan.arrive(record(0), now: start)
    _ = take(&plan, &tickets)
    plan.beginLeaving([first])
    plan.finish(try #require(tickets["0:0"]), failed(), now: start)
    #expect(take(&plan, &tickets) == [])
    plan.tick(now: start + .seconds(60))
    #expect(take(&plan, &tickets) == [] && plan.isIdle)
  }

  @Test func afterTheEndNothingIsBegun() throws {
    var plan = plan()
    var tickets: [String: UInt64] = [:]
    plan.arrive(record(0), now: start)
    plan.arrive(record(1), now: start)
    _ = take(&plan, &tickets)
    plan.stop()
    #expect(!plan.wantsRecord && !plan.isIdle)
    plan.finish(try #require(tickets["0:0"]), .done, now: start)
    #expect(take(&plan, &tickets) == ["store 0:0"] && plan.isIdle)
    plan.tick(now: start + .seconds(60))
    #expect(take(&plan, &tickets) == [] && plan.nextDue == nil)
  }

  @Test(arguments: [ProcessingOrder.partition, .key, .none], 1...PlanWorld.seedsCount)
  func whateverHappensNothingIsLostAndNothingIsCommittedTooEarly(order: ProcessingOrder, seed: Int) {
    var world = PlanWorld(
      seed: UInt64(seed), order: order, concurrencyMax: 1 + seed % 5, recordsEach: 60)
    world.walk(steps: 3000)
    #expect(world.startsCount > 0)
  }
}
