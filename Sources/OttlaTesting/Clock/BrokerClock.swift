internal import Primitives
internal import Runtime
internal import Synchronization

/// The clock of an embedded broker, or of all brokers of an embedded cluster. It goes with the machine's clock, and a test can
/// move it ahead.
///
/// ```swift
/// await broker.clock.advance(by: .days(7))
/// ```
///
/// What the broker does by the clock (retention, deferred deletions, sessions of group members, expiry of offsets and of
/// producers, compaction, waits of fetches) sees the time pass at once. What clients do by their own clocks does not: a
/// member whose session has ended because the time was moved joins again by itself, as after any pause; and the times that
/// producers give their records are those of the machine, so that a record sent after the move is as old as the move is far,
/// unless the topic has `message.timestamp.type=LogAppendTime`.
public final class BrokerClock: Sendable {
  let time = OffsetClock()
  /// Held while the clock is moved: no broker comes or goes meanwhile.
  private let brokers = Mutex<[RunningBroker]>([])
  private let ensemble: EnsembleThread?

  init(ensemble: EnsembleThread? = nil) { self.ensemble = ensemble }

  /// How far ahead of the machine's clock it is.
  ///
  /// ```swift
  /// // The time that the broker gives to records of topics with message.timestamp.type=LogAppendTime:
  /// let now = Date().addingTimeInterval(broker.clock.ahead / .seconds(1))
  /// ```
  public var ahead: Duration { .nanoseconds(time.aheadNanoseconds) }

  /// The furthest that the clock can be moved at once.
  static let stepMax = Duration.days(36_500)

  /// Moves the clock, and returns when every timer that became due has fired, and what followed from it inside the broker is
  /// done: records written, files removed, offsets moved.
  ///
  /// A timer fires once, at the new time, however often it would have fired in between. What a timer puts off (the files of
  /// a removed segment go `file.delete.delay.ms` later) is due after that: move the clock again. What clients and, in a
  /// cluster, other brokers have to answer is not waited for; and where clients keep the broker busy, not longer than a
  /// second for the broker itself.
  ///
  /// ```swift
  /// await broker.clock.advance(by: .days(7))
  /// ```
  ///
  /// - Parameter duration: from zero to 36,500 days; anything else is a mistake of the test's, and traps.
  public func advance(by duration: Duration) async {
    precondition(duration >= .zero && duration <= Self.stepMax, "a clock cannot be moved by \(duration)")
    await Blocking.run { [self] in move(duration) }
  }

  private func move(_ duration: Duration) {
    let nanoseconds = duration.wholeNanoseconds
    brokers.withLock { brokers in
      if let ensemble {
        // A change of the cluster that is under way would look as if it had been for that long, and its controller resign.
        Settling.settle(brokers, ensemble)
        // Who cannot reach the coordination service loses its session; the others keep theirs, and see to what follows.
        ensemble.pass(milliseconds: nanoseconds / 1_000_000)
        Settling.settle(brokers, ensemble)
      }
      time.move(nanoseconds: nanoseconds)
      Settling.settle(brokers, ensemble)
    }
  }

  func add(_ broker: RunningBroker) { brokers.withLock { $0.append(broker) } }

  /// Returns when no move is under way that knows the broker.
  func remove(_ broker: RunningBroker) { brokers.withLock { $0.removeAll { $0 === broker } } }
}
