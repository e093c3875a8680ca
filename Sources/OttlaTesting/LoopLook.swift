internal import Runtime
internal import Synchronization

/// A look into the event loops of brokers, by somebody who waits for it.
enum LoopLook {
  private struct State<Sight: Sendable> {
    var missing: Int
    var sights: [Sight] = []
  }

  private final class Round<Sight: Sendable>: Sendable {
    private let state: Mutex<State<Sight>>
    private let signal = Signal()

    init(count: Int) { state = Mutex(State(missing: count)) }

    func note(_ sight: Sight) {
      let isLast = state.withLock { state in
        state.missing -= 1
        state.sights.append(sight)
        return state.missing == 0
      }
      if isLast { signal.set() }
    }

    func wait() -> [Sight] {
      signal.wait()
      return state.withLock { $0.sights }
    }
  }

  /// What `body` sees in each loop of `brokers`, in no order. All that was sent to a loop before has been taken by it then.
  ///
  /// None of the brokers may be stopped meanwhile: a loop that has ended sees nobody.
  static func collect<Sight: Sendable>(
    _ brokers: [RunningBroker], _ body: @escaping @Sendable (LoopView) -> Sight
  ) -> [Sight] {
    let count = brokers.reduce(0) { $0 + $1.loopCount }
    guard count > 0 else { return [] }
    let round = Round<Sight>(count: count)
    for broker in brokers { broker.look { view in round.note(body(view)) } }
    return round.wait()
  }
}
