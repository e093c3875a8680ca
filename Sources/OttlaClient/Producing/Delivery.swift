internal import Synchronization

/// What becomes of one record, told once to whoever asked for it.
final class Delivery: Sendable {
  typealias Outcome = Result<DeliveryReport, ProducerError>
  let tell: @Sendable (Outcome) -> Void

  init(_ tell: @escaping @Sendable (Outcome) -> Void) { self.tell = tell }

  /// The pointer that travels with the record, and keeps this object until `take`.
  var opaque: UnsafeMutableRawPointer { Unmanaged.passRetained(self).toOpaque() }

  /// Lets the object behind a pointer of `opaque` go; once.
  static func release(_ opaque: UnsafeMutableRawPointer?) {
    if let opaque { Unmanaged<Delivery>.fromOpaque(opaque).release() }
  }

  /// Tells the object behind a pointer of `opaque`, which stays.
  static func tell(_ opaque: UnsafeMutableRawPointer, _ outcome: Outcome) {
    Unmanaged<Delivery>.fromOpaque(opaque)._withUnsafeGuaranteedRef { $0.tell(outcome) }
  }
}

/// One outcome, and one task that waits for it: whichever comes first waits for the other.
final class PendingDelivery: Sendable {
  private enum State {
    case open
    case awaited(CheckedContinuation<Delivery.Outcome, Never>)
    case told(Delivery.Outcome)
  }
  private let state = Mutex(State.open)

  /// The first outcome counts.
  func resolve(_ outcome: Delivery.Outcome) {
    let continuation = state.withLock { state -> CheckedContinuation<Delivery.Outcome, Never>? in
      switch state {
      case .open:
        state = .told(outcome)
        return nil
      case .awaited(let continuation):
        state = .told(outcome)
        return continuation
      case .told: return nil
      }
    }
    continuation?.resume(returning: outcome)
  }

  /// Waits for the outcome. Cancelling the task ends the wait; the record goes its way.
  func outcome() async -> Delivery.Outcome {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let known = state.withLock { state -> Delivery.Outcome? in
          if case .told(let outcome) = state { return outcome }
          state = .awaited(continuation)
          return nil
        }
        if let known { continuation.resume(returning: known) }
      }
    } onCancel: {
      resolve(.failure(.cancelled(mayArrive: true)))
    }
  }
}
