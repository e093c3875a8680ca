internal import Synchronization

/// What becomes of one record.
enum Delivery {
  typealias Outcome = Result<DeliveryReport, ProducerError>
  /// Told once to whoever asked for it. A struct, for a closure that is kept in a generic type is wrapped in another one, and that is an
  /// allocation each time it goes in or out.
  struct Listener: Sendable {
    let tell: @Sendable (Outcome) -> Void

    /// The closure's code and what it holds: while a listener is kept, another one with these words is the same.
    struct Identity: Equatable {
      let code: UInt
      let context: UInt

      static let none = Identity(code: 0, context: 0)
    }

    var identity: Identity { withUnsafeBytes(of: self) { $0.load(as: Identity.self) } }
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
