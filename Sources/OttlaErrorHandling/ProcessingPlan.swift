internal import OttlaClient

/// Decides which record is worked on when, what becomes of those that fail, and up to where all are done.
///
/// It has no clock, no task and no consumer: events come in by its methods, and `takeOutcomes` says what is to be done.
///
/// A record (by its ticket): Can become: running, when its lane is free and there is room; waiting, when it fails and is to
/// be tried again, or came before its time; recovering, when it is not to be tried again; done, when the handler or the
/// recovery says so; dropped, when its partition goes. One that runs when its partition goes is stale: what comes of it
/// counts for nothing, but its lane is busy until then, so that nothing overtakes it if the partition comes back.
struct ProcessingPlan<Record: PlannedRecord> {
  struct Limits {
    var concurrencyMax = 1
    var windowRecordsMax = 500
    var windowBytesMax = 4 << 20
  }

  enum Outcome {
    /// Give the record to the handler.
    case start(ticket: UInt64, Record, tryNumber: Int)
    /// Do what is to be done with a record that is not tried any more; the failure is its last one.
    case recover(ticket: UInt64, Record, triesCount: Int, Failure)
    /// Told, for whoever watches: it is tried again after `wait`.
    case willRetry(Record, triesCount: Int, wait: Duration, Failure)
    /// The record and all before it in its partition are done.
    case store(Record)
    case pause(TopicPartition)
    case resume(TopicPartition)
  }

  enum Result {
    case done
    case failed(Failure)
    case recovered
    case recoveryFailed
    /// It was interrupted, and is neither done nor failed.
    case abandoned
  }

  struct Item {
    let record: Record
    let lane: UInt64
    let notBefore: ContinuousClock.Instant?
    var triesCount = 0
    var recoveriesCount = 0
    var failure: Failure?
    var isRunning = false
    var isStale = false
  }

  let limits: Limits
  let order: ProcessingOrder
  private var random: SeededRandom
  /// By ticket.
  var items: [UInt64: Item] = [:]
  /// By number.
  var lanes: [UInt64: Lane] = [:]
  var laneNumbers: [LaneName: UInt64] = [:]
  var lastNumber: UInt64 = 0
  /// Lanes that have become ready, in that order; some may have ceased to be.
  var ready: [UInt64] = []
  var readyFirst = 0
  /// By lane, tickets of records that are to be tried again, or whose recovery is.
  var retries: RetrySchedule<UInt64, UInt64>
  var recoveries: RetrySchedule<UInt64, UInt64>
  var partitions: [TopicPartition: PartitionProgress<Record>] = [:]
  var census = Census()
  private var runningCount = 0
  private(set) var isStopping = false
  var outcomes: [Outcome] = []

  init(order: ProcessingOrder, limits: Limits, backOff: BackOff, recoveryBackOff: BackOff, seed: UInt64) {
    precondition(limits.concurrencyMax > 0 && limits.windowRecordsMax > 0, "\(limits)")
    self.order = order
    self.limits = limits
    random = SeededRandom(seed: seed)
    retries = RetrySchedule(backOff)
    recoveries = RetrySchedule(recoveryBackOff)
  }

  /// What is to be done, in this order.
  mutating func takeOutcomes() -> [Outcome] {
    defer { outcomes = [] }
    return outcomes
  }

  /// Whether the next record is welcome: not while enough lanes are ready, nor while each partition has its fill.
  var wantsRecord: Bool { !isStopping && ready.count - readyFirst < limits.concurrencyMax && census.wantsRecord }

  /// Nothing is running: what was begun has come to its end.
  var isIdle: Bool { runningCount == 0 }

  /// When `tick` has something to do; nil while there is no room for it, or nothing.
  var nextDue: ContinuousClock.Instant? {
    guard !isStopping, runningCount < limits.concurrencyMax else { return nil }
    return [retries.nextDue, recoveries.nextDue].compactMap { $0 }.min()
  }

  /// Begins nothing any more.
  mutating func stop() { isStopping = true }

  /// A record has come, which is not to be begun before `notBefore`. One of a partition that is not this member's any more is
  /// dropped.
  mutating func arrive(_ record: Record, notBefore: ContinuousClock.Instant? = nil, now: ContinuousClock.Instant) {
    let partition = record.topicPartition
    guard !isStopping, let progress = partitions[partition], !progress.isLeaving else { return }
    if partitions[partition]?.window.handOut(record, at: record.offset, byteCount: record.byteCount) == false {
      // The reader had taken a record before the partition went and came back, and it arrives only now: what stands in the plan is from
      // before, and the group's position may lie below it.
      startAnew(partition)
      _ = partitions[partition]?.window.handOut(record, at: record.offset, byteCount: record.byteCount)
    }
    lastNumber &+= 1
    let ticket = lastNumber
    let number = lane(for: record)
    items[ticket] = Item(record: record, lane: number, notBefore: notBefore)
    lanes[number]?.append(ticket)
    list(number)
    assess(partition)
    fill(now)
  }

  /// What became of a record that was started, or recovered.
  mutating func finish(_ ticket: UInt64, _ result: Result, now: ContinuousClock.Instant) {
    guard var item = items[ticket], item.isRunning else { preconditionFailure("ticket \(ticket) is not running") }
    item.isRunning = false
    items[ticket] = item
    runningCount -= 1
    defer { fill(now) }
    let partition = item.record.topicPartition
    // Whoever has the partition next tries again, and recovers.
    let isLeft = item.isStale || isStopping || partitions[partition]?.isLeaving != false
    switch result {
    case .done, .recovered:
      if !item.isStale, let last = partitions[partition]?.window.acknowledge(item.record.offset) {
        outcomes.append(.store(last))
      }
      end(ticket)
    case .failed(let failure) where !isLeft: judge(ticket, item, failure, now)
    case .recoveryFailed where !isLeft:
      items[ticket]?.recoveriesCount += 1
      let verdict = recoveries.failed(
        ticket, of: item.lane, triesCount: item.recoveriesCount + 1, .retriable, now: now, using: &random)
      precondition(verdict != .usedUp, "a recovery is tried for ever")
      changeWaiting(partition, by: 1)
    case .failed, .recoveryFailed, .abandoned: end(ticket)
    }
  }

  /// Time has passed.
  mutating func tick(now: ContinuousClock.Instant) { fill(now) }

  private mutating func judge(_ ticket: UInt64, _ item: Item, _ failure: Failure, _ now: ContinuousClock.Instant) {
    items[ticket]?.failure = failure
    let verdict = retries.failed(
      ticket, of: item.lane, triesCount: item.triesCount, failure.kind, now: now, using: &random)
    switch verdict {
    case .retry(let due):
      outcomes.append(.willRetry(item.record, triesCount: item.triesCount, wait: due - now, failure))
      changeWaiting(item.record.topicPartition, by: 1)
    case .usedUp: recover(ticket)
    }
  }

  /// Begins as much as there is room for: what is due first.
  private mutating func fill(_ now: ContinuousClock.Instant) {
    while !isStopping, runningCount < limits.concurrencyMax {
      if let due = retries.takeDue(now: now) {
        endWait(due.record)
        start(due.record)
      } else if let due = recoveries.takeDue(now: now) {
        endWait(due.record)
        recover(due.record)
      } else if let number = nextReady() {
        begin(number, now)
      } else {
        return
      }
    }
  }

  private mutating func begin(_ number: UInt64, _ now: ContinuousClock.Instant) {
    guard let ticket = lanes[number]?.takeFirst(), let item = items[ticket] else { return }
    lanes[number]?.current = ticket
    if let due = item.notBefore, due > now {
      retries.wait(ticket, of: number, until: due)
      changeWaiting(item.record.topicPartition, by: 1)
    } else {
      start(ticket)
    }
  }

  private mutating func start(_ ticket: UInt64) {
    guard var item = items[ticket] else { return }
    item.isRunning = true
    item.triesCount += 1
    items[ticket] = item
    runningCount += 1
    outcomes.append(.start(ticket: ticket, item.record, tryNumber: item.triesCount))
  }

  private mutating func recover(_ ticket: UInt64) {
    guard let item = items[ticket], let failure = item.failure else { return }
    items[ticket]?.isRunning = true
    runningCount += 1
    outcomes.append(.recover(ticket: ticket, item.record, triesCount: item.triesCount, failure))
  }

  private mutating func endWait(_ ticket: UInt64) {
    if let partition = items[ticket]?.record.topicPartition { changeWaiting(partition, by: -1) }
  }

  /// A record is over, and its lane is free for the next.
  private mutating func end(_ ticket: UInt64) {
    guard let item = items.removeValue(forKey: ticket) else { return }
    lanes[item.lane]?.current = nil
    list(item.lane)
    assess(item.record.topicPartition)
  }
}
