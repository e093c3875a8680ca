/// Publishes what waits in an outbox, until its task is cancelled. Several may work on one outbox, in one process or in many.
///
/// ```swift
/// let publisher = OutboxPublisher(store) { message in
///   try await send(message)  // returns when the broker has acknowledged it: acks=all, idempotent
/// }
/// let running = Task { await publisher.run() }
/// // ...
/// running.cancel()
/// await running.value
/// ```
///
/// A message is published at least once, and those with the same key in order. After a crash between the acknowledgement and
/// writing it down, or when the store was away for longer than the lease, messages are published again with the same id
/// (`OutboxMessage.idHeader`): `Inbox` on the consumer's side drops repeats.
public struct OutboxPublisher<Store: OutboxStore>: Sendable {
  private let store: Store
  private let settings: OutboxSettings
  private let onEvent: @Sendable (OutboxEvent) -> Void
  private let publish: @Sendable (OutboxMessage) async throws -> Void
  private let alarm = PublisherAlarm()

  /// A publisher, which does nothing until `run`.
  ///
  /// - Parameters:
  ///   - onEvent: for the log and the figures; called between two steps of work, so it must not take long.
  ///   - publish: sends the message, with `headersWithID`, and returns when it is acknowledged. What it throws means "not
  ///     acknowledged", and the message is tried again later; `OutboxRefusal` means "never", and it is set aside.
  public init(
    _ store: Store, settings: OutboxSettings = OutboxSettings(),
    onEvent: @escaping @Sendable (OutboxEvent) -> Void = { _ in },
    publish: @escaping @Sendable (OutboxMessage) async throws -> Void
  ) {
    self.store = store
    self.settings = settings.checked
    self.onEvent = onEvent
    self.publish = publish
  }

  /// Works until the task is cancelled. Then it starts nothing more, waits for what is in flight (whose tasks are cancelled too),
  /// writes down what came of it, and returns. Errors of the store and of publishing are events, never the end.
  ///
  /// ```swift
  /// let publishing = Task { await publisher.run() }
  /// // ...
  /// publishing.cancel()
  /// await publishing.value
  /// ```
  public func run() async {
    let clock = ContinuousClock()
    let start = clock.now
    func now() -> Duration { start.duration(to: clock.now) }
    var schedule = PublisherSchedule(settings)
    var unsettled: Unsettled?
    var heard = alarm.ringCount
    while !Task.isCancelled {
      switch schedule.step(at: now()) {
      case .sleep(let duration):
        await alarm.sleep(for: duration, since: heard)
        let rung = alarm.ringCount
        if rung != heard { schedule.wake(at: now()) }
        heard = rung
      case .clean:
        do {
          let count = try await store.removeSent(olderThan: settings.retention, rowsMax: cleaningRowsMax)
          if count > 0 { onEvent(.removed(count: count)) }
          schedule.cleaningEnded(isMoreLikely: count == cleaningRowsMax, at: now())
        } catch {
          schedule.cleaningFailed(at: now())
          report(error)
        }
      case .publish:
        do {
          // What was published and is not written down yet comes before anything new.
          let work: Unsettled
          if let unsettled {
            work = unsettled
          } else {
            // Who rings from now on may have added what this look does not see.
            heard = alarm.ringCount
            work = try await publishClaim()
          }
          unsettled = work
          try await settle(work)
          unsettled = nil
          schedule.passEnded(work.pass, at: now(), random: .random(in: 0..<1))
        } catch {
          schedule.storeFailed(at: now(), random: .random(in: 0..<1))
          report(error)
        }
      }
    }
    if let unsettled { do { try await settle(unsettled) } catch { onEvent(.storeFailed(reason: "\(error)")) } }
  }

  /// Lets `run` look for messages at once, and not only at the end of its `interval`. To be called after a transaction with messages was
  /// committed, so that they do not wait; without it they are published all the same. Returns at once.
  ///
  /// ```swift
  /// try await database.transaction { try await outbox.add(message, in: $0) }
  /// publisher.wake()
  /// ```
  ///
  /// Does nothing while the broker or the store fails: then the waits of `retryPause` count.
  public func wake() { alarm.ring() }

  /// Publishes what is there now, up to `rowsMax` rows, once: for programs that have a clock of their own, and for tests.
  ///
  /// ```swift
  /// // a program that the system starts each minute, and that ends when there is nothing more to send
  /// while true {
  ///   let (sent, failed, refused) = try await publisher.publishOnce()
  ///   if failed + refused > 0 { print("\(failed) are tried again next time, \(refused) never") }
  ///   if sent == 0 { break }
  /// }
  /// ```
  ///
  /// - Returns: how many were sent, failed and were refused.
  /// - Throws: what the store throws. What was published before that is published again, by a later pass or another publisher.
  @discardableResult
  public func publishOnce() async throws -> (sent: Int, failed: Int, refused: Int) {
    let work = try await publishClaim()
    try await settle(work)
    return (work.pass.sentCount, work.pass.failedCount, work.pass.refusedCount)
  }

  private var cleaningRowsMax: Int { 1000 }

  private func report(_ error: any Error) {
    // A cancelled publisher has seen its own end, not the store's.
    if !Task.isCancelled { onEvent(.storeFailed(reason: "\(error)")) }
  }

  // MARK: - A pass

  /// Rows that were published, or tried, and what is to be written down about them.
  private struct Unsettled: Sendable {
    let claim: OutboxClaim
    let outcomes: [OutboxOutcome]
    let pass: PublisherSchedule.Pass
  }

  private func publishClaim() async throws -> Unsettled {
    let hold = LeaseHold(lease: settings.lease)
    let claim = try await store.claim(rowsMax: settings.rowsMax, lease: settings.lease)
    guard !claim.rows.isEmpty else { return Unsettled(claim: claim, outcomes: [], pass: .init()) }
    let plan = await publishAll(of: claim, hold)
    var pass = PublisherSchedule.Pass(isMoreLikely: claim.isMoreLikely)
    for (_, result) in plan.results {
      switch result {
      case .sent: pass.sentCount += 1
      case .failed: pass.failedCount += 1
      case .refused: pass.refusedCount += 1
      }
    }
    let outcomes = plan.outcomes(retryPause: settings.retryPause) { .random(in: 0..<1) }
    return Unsettled(claim: claim, outcomes: outcomes, pass: pass)
  }

  private enum Finished: Sendable {
    case row(OutboxRow, BatchPlan.Result)
    case renewal
  }

  private func publishAll(of claim: OutboxClaim, _ hold: LeaseHold) async -> BatchPlan {
    var plan = BatchPlan(
      rows: claim.rows, inFlightMax: settings.publishesInFlightMax, failuresInARowMax: settings.failuresInARowMax)
    return await withTaskGroup(of: Finished.self) { group in
      group.addTask {
        await keep(claim, hold)
        return .renewal
      }
      while true {
        if Task.isCancelled || !hold.isSafe { plan.stop() }
        while let row = plan.start() { group.addTask { .row(row, await publishOne(row)) } }
        guard plan.inFlightCount > 0, let finished = await group.next() else { break }
        if case .row(let row, let result) = finished { plan.finish(row, result) }
      }
      group.cancelAll()
      return plan
    }
  }

  private func publishOne(_ row: OutboxRow) async -> BatchPlan.Result {
    do {
      try await publish(row.message)
      return .sent
    } catch let refusal as OutboxRefusal {
      onEvent(.refused(row.message, reason: refusal.reason))
      return .refused(refusal.reason)
    } catch {
      let reason = "\(error)"
      onEvent(.failed(row.message, reason: reason, failureCount: row.failureCount + 1))
      return .failed(reason)
    }
  }

  /// Renews the lease while rows are being published, until the task is cancelled or the lease is lost.
  private func keep(_ claim: OutboxClaim, _ hold: LeaseHold) async {
    while !Task.isCancelled {
      guard (try? await Task.sleep(for: settings.lease / 3)) != nil else { return }
      let begun = ContinuousClock.now
      do {
        guard try await store.renew(claim, lease: settings.lease) else { return hold.lose() }
        hold.renewed(at: begun)
      } catch {
        // The lease runs out by itself when this goes on.
        report(error)
      }
    }
  }

  /// Not to be cancelled: what was acknowledged should be written down.
  private func settle(_ work: Unsettled) async throws {
    guard !work.claim.rows.isEmpty else { return }
    let store = store
    try await Task { try await store.settle(work.claim, work.outcomes) }.value
    if work.pass.sentCount > 0 { onEvent(.sent(count: work.pass.sentCount)) }
  }
}
