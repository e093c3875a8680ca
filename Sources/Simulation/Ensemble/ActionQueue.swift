internal import Primitives

/// What is to happen, in the order of its time, and of its coming where times are equal.
struct ActionQueue {
  private struct Entry {
    let time: Instant
    let number: UInt64
    let action: SimulatedEnsemble.Action

    func isBefore(_ other: Entry) -> Bool {
      time == other.time ? number < other.number : time < other.time
    }
  }

  /// A heap: each entry is before those at twice its place and behind.
  private var heap: [Entry] = []
  private var lastNumber: UInt64 = 0

  var first: Instant? { heap.first?.time }

  mutating func add(_ action: SimulatedEnsemble.Action, at time: Instant) {
    lastNumber += 1
    heap.append(Entry(time: time, number: lastNumber, action: action))
    var index = heap.count - 1
    while index > 0 {
      let above = (index - 1) / 2
      guard heap[index].isBefore(heap[above]) else { return }
      heap.swapAt(index, above)
      index = above
    }
  }

  /// The first of what is due, taken out.
  mutating func take(until limit: Instant) -> (time: Instant, action: SimulatedEnsemble.Action)? {
    guard let first = heap.first, first.time <= limit else { return nil }
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    sink()
    return (first.time, first.action)
  }

  private mutating func sink() {
    var index = 0
    while true {
      var least = index
      for below in [2 * index + 1, 2 * index + 2] where below < heap.count && heap[below].isBefore(heap[least]) {
        least = below
      }
      if least == index { return }
      heap.swapAt(index, least)
      index = least
    }
  }
}
