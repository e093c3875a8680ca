import Glibc
import OttlaClient
import Testing

@testable import OttlaErrorHandling

/// A record of the model: which time of holding its partition it was read in, too.
struct ModelRecord: PlannedRecord, Hashable {
  let topicPartition: TopicPartition
  let offset: Int64
  let key: [UInt8]?
  let epoch: Int
  var byteCount: Int { 10 }
}

/// A group's partitions, a reader and handlers around a plan, all by chance: what the plan says is checked against what has happened.
struct PlanWorld {
  private struct Partition {
    var log: [(offset: Int64, key: [UInt8]?)] = []
    var committed: Int64 = 0
    var position: Int64 = 0
    var epoch = 0
    var isAssigned = false
    var isPaused = false
    /// Done by a handler, or recovered, in whichever time of holding.
    var settled: Set<Int64> = []
    /// In this time of holding, by lane: the record begun last.
    var begun: [[UInt8]?: Int64] = [:]
  }

  var plan: ProcessingPlan<ModelRecord>
  private let order: ProcessingOrder
  private var random: SeededRandom
  private var partitions: [TopicPartition: Partition] = [:]
  private let names: [TopicPartition]
  private var now = ContinuousClock.now
  /// What the reader has taken and the plan has not got yet.
  private var taken: ModelRecord?
  private var running: [UInt64: (record: ModelRecord, isRecovery: Bool)] = [:]
  private(set) var startsCount = 0
  /// How many random walks there are; OTTLA_SEEDS for more.
  static var seedsCount: Int { getenv("OTTLA_SEEDS").flatMap { Int(String(cString: $0)) } ?? 20 }
  private(set) var recoveriesCount = 0

  init(seed: UInt64, order: ProcessingOrder, concurrencyMax: Int, recordsEach: Int) {
    var random = SeededRandom(seed: seed)
    self.order = order
    names = (0..<Int32.random(in: 1...4, using: &random)).map { TopicPartition("t", $0) }
    for name in names {
      var partition = Partition()
      var offset: Int64 = 0
      for _ in 0..<recordsEach {
        let key: [UInt8]? = Bool.random(using: &random) ? [UInt8.random(in: 0...3, using: &random)] : nil
        partition.log.append((offset, key))
        offset += Int64.random(in: 1...2, using: &random)
      }
      partitions[name] = partition
    }
    let limits = ProcessingPlan<ModelRecord>.Limits(
      concurrencyMax: concurrencyMax, windowRecordsMax: 8, windowBytesMax: 1000)
    plan = ProcessingPlan(
      order: order, limits: limits, backOff: .exponential(from: .seconds(1), retries: 2, jitter: 0.5),
      recoveryBackOff: .fixed(.seconds(3), retries: .max), seed: random.next())
    self.random = random
  }

  /// So many events by chance; then, with nothing going wrong any more, as many as it takes.
  mutating func walk(steps: Int) {
    for _ in 0..<steps { step() }
    for name in names where partitions[name]?.isAssigned == false { assign(name) }
    for _ in 0..<20_000 where !isOver { calmStep() }
    #expect(isOver, "it goes no further: \(partitions.map { ($0.key, $0.value.committed) })")
  }

  /// All records are settled and committed.
  var isOver: Bool {
    partitions.values.allSatisfy { partition in
      partition.settled.count == partition.log.count && partition.committed == partition.log.last.map { $0.offset + 1 }
    }
  }

  private mutating func step() {
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<7: read()
    case 7..<10: arrive()
    case 10..<16: finish(result(failsOften: true))
    case 16..<18: pass(.milliseconds(Int.random(in: 1...2000, using: &random)))
    default: rebalance()
    }
  }

  private mutating func calmStep() {
    read()
    arrive()
    finish(.done)
    if running.isEmpty { pass(.seconds(1)) }
  }

  /// The reader takes the next record of some partition that does not rest, where the plan wants one.
  private mutating func read() {
    guard taken == nil, plan.wantsRecord else { return }
    let readable = names.filter { name in
      guard let partition = partitions[name] else { return false }
      return partition.isAssigned && !partition.isPaused && partition.log.contains { $0.offset >= partition.position }
    }
    guard let name = readable.randomElement(using: &random), let partition = partitions[name],
      let next = partition.log.first(where: { $0.offset >= partition.position })
    else { return }
    partitions[name]?.position = next.offset + 1
    taken = ModelRecord(topicPartition: name, offset: next.offset, key: next.key, epoch: partition.epoch)
  }

  private mutating func arrive() {
    guard let record = taken else { return }
    taken = nil
    let notBefore = Int.random(in: 0..<10, using: &random) == 0 ? now + .seconds(1) : nil
    plan.arrive(record, notBefore: notBefore, now: now)
    carryOut()
    let window = plan.partitions[record.topicPartition]?.window.count ?? 0
    #expect(window <= plan.limits.windowRecordsMax + 1, "a window of \(window)")
  }

  private mutating func result(failsOften: Bool) -> ProcessingPlan<ModelRecord>.Result {
    guard failsOften, Int.random(in: 0..<3, using: &random) == 0 else { return .done }
    struct Broken: Error {}
    let kind = Int.random(in: 0..<4, using: &random) == 0 ? ErrorKind.fatal : .retriable
    return .failed(Failure(error: Broken(), kind: kind))
  }

  private mutating func finish(_ result: ProcessingPlan<ModelRecord>.Result) {
    guard let ticket = running.keys.sorted().randomElement(using: &random), let entry = running[ticket] else { return }
    running[ticket] = nil
    var result = result
    if entry.isRecovery { result = if case .failed = result { .recoveryFailed } else { .recovered } }
    switch result {
    case .done, .recovered: partitions[entry.record.topicPartition]?.settled.insert(entry.record.offset)
    case .failed, .recoveryFailed, .abandoned: break
    }
    plan.finish(ticket, result, now: now)
    carryOut()
  }

  private mutating func pass(_ time: Duration) {
    now += time
    plan.tick(now: now)
    carryOut()
  }

  private mutating func rebalance() {
    guard let name = names.randomElement(using: &random), let partition = partitions[name] else { return }
    guard partition.isAssigned else { return assign(name) }
    if Bool.random(using: &random) {
      plan.beginLeaving([name])
      carryOut()
      for _ in 0..<Int.random(in: 0...3, using: &random) { finish(result(failsOften: true)) }
      let runs = running.values.contains { $0.record.topicPartition == name }
      if !runs { #expect(!plan.isBusy([name])) }
    }
    plan.endLeaving([name])
    carryOut()
    #expect(plan.partitions[name] == nil && !plan.isBusy([name]))
    #expect(partitions[name]?.isPaused == false, "\(name) rests, and is another's")
    partitions[name]?.isAssigned = false
    // Somebody else may do some of it, or this member gets it back at once, whatever the reader holds.
    if Bool.random(using: &random) { assign(name) }
  }

  private mutating func assign(_ name: TopicPartition) {
    guard var partition = partitions[name] else { return }
    partition.isAssigned = true
    partition.epoch += 1
    partition.position = partition.committed
    partition.begun = [:]
    partitions[name] = partition
    plan.assign([name])
    carryOut()
  }

  private mutating func carryOut() {
    for outcome in plan.takeOutcomes() {
      switch outcome {
      case .start(let ticket, let record, let tryNumber):
        startsCount += 1
        noteStart(record, tryNumber)
        begin(ticket, record, isRecovery: false)
      case .recover(let ticket, let record, _, _):
        recoveriesCount += 1
        begin(ticket, record, isRecovery: true)
      case .willRetry: break
      case .store(let record): store(record)
      case .pause(let name): partitions[name]?.isPaused = true
      case .resume(let name): partitions[name]?.isPaused = false
      }
    }
  }

  private func lane(_ record: ModelRecord) -> [UInt8]? {
    switch order {
    case .partition: [255]
    case .key: record.key
    case .none: nil
    }
  }

  private mutating func begin(_ ticket: UInt64, _ record: ModelRecord, isRecovery: Bool) {
    if let lane = lane(record) {
      let others = running.values.filter {
        $0.record.topicPartition == record.topicPartition && self.lane($0.record) == lane
      }
      #expect(others.isEmpty, "\(record) is begun beside \(others)")
    }
    running[ticket] = (record, isRecovery)
    #expect(running.count <= plan.limits.concurrencyMax)
  }

  private mutating func noteStart(_ record: ModelRecord, _ tryNumber: Int) {
    #expect((1...3).contains(tryNumber))
    guard let lane = lane(record), record.epoch == partitions[record.topicPartition]?.epoch else { return }
    let last = partitions[record.topicPartition]?.begun[lane] ?? -1
    #expect(tryNumber == 1 ? record.offset > last : record.offset == last, "\(record) after \(last)")
    partitions[record.topicPartition]?.begun[lane] = record.offset
  }

  /// What the consumer does: a record of another time is refused.
  private mutating func store(_ record: ModelRecord) {
    guard var partition = partitions[record.topicPartition], partition.isAssigned, partition.epoch == record.epoch
    else {
      return
    }
    let unsettled = partition.log.filter { $0.offset <= record.offset && !partition.settled.contains($0.offset) }
    #expect(unsettled.isEmpty, "committed past \(unsettled)")
    #expect(record.offset + 1 > partition.committed)
    partition.committed = record.offset + 1
    partitions[record.topicPartition] = partition
  }
}
