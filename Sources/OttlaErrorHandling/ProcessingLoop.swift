internal import OttlaClient

/// Brings consumer, plan and handlers together: each event goes into the plan, and what the plan says is done, one event after
/// the other.
actor ProcessingLoop {
  /// What is to be done beside this actor.
  enum Job: Sendable {
    case handle(ticket: UInt64, ConsumerRecord)
    case recover(ticket: UInt64, ConsumerRecord, triesCount: Int, Failure)
    case wake(at: ContinuousClock.Instant)
  }

  private var plan: ProcessingPlan<ConsumerRecord>
  private let settings: ProcessingSettings
  private let writer: FailureWriter
  private let jobs: AsyncStream<Job>.Continuation
  private var consumer: Consumer?
  private var nextWake: ContinuousClock.Instant?
  /// The reader, while the plan wants no record.
  private var reader: CheckedContinuation<Void, Never>?
  private(set) var failure: (any Error)?
  /// Whether anybody runs jobs still.
  private var isOver = false
  private let stopping: Ending

  /// - Parameter stopping: requested when nothing more is begun.
  init(
    _ settings: ProcessingSettings, _ errorHandler: ErrorHandler, _ writer: FailureWriter,
    jobs: AsyncStream<Job>.Continuation, stopping: Ending
  ) {
    self.stopping = stopping
    let limits = ProcessingPlan<ConsumerRecord>.Limits(
      concurrencyMax: max(1, settings.concurrencyMax), windowRecordsMax: max(1, settings.windowRecordsMax),
      windowBytesMax: max(1, settings.windowBytesMax))
    var random = SystemRandomNumberGenerator()
    plan = ProcessingPlan(
      order: settings.order, limits: limits, backOff: errorHandler.backOff,
      recoveryBackOff: settings.writeBackOff.unending, seed: random.next())
    self.settings = settings
    self.writer = writer
    self.jobs = jobs
  }

  /// Partitions come and go. The consumer waits until this returns.
  func rebalance(_ rebalance: Rebalance) async {
    consumer = rebalance.consumer
    switch rebalance.kind {
    case .assigned: plan.assign(rebalance.partitions)
    case .revoked:
      plan.beginLeaving(rebalance.partitions)
      carryOut()
      let deadline = ContinuousClock.now + settings.revokeWait
      // Others come in between: what handlers report is what is waited for.
      while !isOver, plan.isBusy(rebalance.partitions), ContinuousClock.now < deadline {
        try? await Task.sleep(for: .milliseconds(2))
      }
      plan.endLeaving(rebalance.partitions)
    case .lost: plan.endLeaving(rebalance.partitions)
    }
    carryOut()
  }

  /// Returns when the next record is welcome; false at the end.
  func waitForDemand() async -> Bool {
    while !plan.wantsRecord, !plan.isStopping {
      await withCheckedContinuation { reader = $0 }
    }
    return !plan.isStopping
  }

  func arrive(_ record: ConsumerRecord) {
    let now = ContinuousClock.now
    let wait = writer.routes.remainingWait(of: record.topic, writer.history(of: record), nowMs: wallClockMs())
    plan.arrive(record, notBefore: wait > .zero ? now + wait : nil, now: now)
    carryOut()
  }

  func finish(_ ticket: UInt64, _ result: ProcessingPlan<ConsumerRecord>.Result) {
    plan.finish(ticket, result, now: .now)
    carryOut()
  }

  func wake(_ time: ContinuousClock.Instant) {
    if nextWake == time { nextWake = nil }
    plan.tick(now: .now)
    carryOut()
  }

  func tell(_ event: ProcessingEvent) { settings.onEvent(event) }

  /// Begins nothing any more, and ends when nothing runs; with the first error, if there is one.
  func stop(_ error: (any Error)? = nil) {
    if failure == nil { failure = error }
    if !plan.isStopping { stopping.request() }
    plan.stop()
    carryOut()
  }

  /// Waits for nothing that runs any more.
  func abandon() { jobs.finish() }

  /// No job is taken any more, by whichever way the end came.
  func end() {
    isOver = true
    stop()
  }

  /// The consumer is closed. It knows this actor by its listener: together they would live for ever.
  func forgetConsumer() { consumer = nil }

  private func carryOut() {
    for outcome in plan.takeOutcomes() {
      switch outcome {
      case .start(let ticket, let record, _): jobs.yield(.handle(ticket: ticket, record))
      case .recover(let ticket, let record, let triesCount, let failure):
        jobs.yield(.recover(ticket: ticket, record, triesCount: triesCount, failure))
      case .willRetry(let record, let triesCount, let wait, let failure):
        let attempts = writer.history(of: record).attempts + triesCount
        settings.onEvent(.willRetry(record, attempts: attempts, wait: wait, failure.error))
      // Where the partition has gone in the meantime, all three are for nothing, and need not be done.
      case .store(let record): try? consumer?.store(record)
      case .pause(let partition): try? consumer?.pause([partition])
      case .resume(let partition): try? consumer?.resume([partition])
      }
    }
    if let due = plan.nextDue, nextWake.map({ due < $0 }) ?? true {
      nextWake = due
      jobs.yield(.wake(at: due))
    }
    if plan.wantsRecord || plan.isStopping {
      reader?.resume()
      reader = nil
    }
    if plan.isStopping, plan.isIdle { jobs.finish() }
  }
}

extension BackOff {
  /// The same waits, without an end.
  var unending: BackOff {
    .exponential(from: initial, multiplier: multiplier, upTo: limit, retries: .max, jitter: jitter)
  }
}
