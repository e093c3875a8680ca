internal import Synchronization

/// Whether the slots of a claim are still ours, by our own clock, which began before the store's.
final class LeaseHold: Sendable {
  private let lease: Duration
  private let end: Mutex<ContinuousClock.Instant>

  init(lease: Duration) {
    self.lease = lease
    end = Mutex(ContinuousClock.now + lease)
  }

  /// False a sixth of the lease before its end: what is started after that would hardly be done in time.
  var isSafe: Bool { end.withLock { ContinuousClock.now < $0 - lease / 6 } }

  func renewed(at time: ContinuousClock.Instant) { end.withLock { $0 = max($0, time + lease) } }
  func lose() { end.withLock { $0 = ContinuousClock.now } }
}
