internal import Primitives

/// What is to happen, in the order of its time, and of its coming where times are equal: one queue for everything.
struct EventQueue {
  struct Entry {
    let time: Instant
    let number: UInt64
    let event: SimulatedEvent

    func isBefore(_ other: Entry) -> Bool {
      time == other.time ? number < other.number : time < other.time
    }
  }

  /// A heap: each entry is before those at twice its place and behind.
  private var heap: [Entry] = []
  private var lastNumber: UInt64 = 0

  var first: Instant? { heap.first?.time }

  mutating func add(_ event: SimulatedEvent, at time: Instant) {
    lastNumber += 1
    heap.append(Entry(time: time, number: lastNumber, event: event))
    var index = heap.count - 1
    while index > 0 {
      let above = (index - 1) / 2
      guard heap[index].isBefore(heap[above]) else { return }
      heap.swapAt(index, above)
      index = above
    }
  }

  mutating func removeFirst() -> Entry? {
    guard let first = heap.first else { return nil }
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var index = 0
    while true {
      var least = index
      let below = 2 * index + 1
      if below < heap.count, heap[below].isBefore(heap[least]) { least = below }
      if below + 1 < heap.count, heap[below + 1].isBefore(heap[least]) { least = below + 1 }
      if least == index { return first }
      heap.swapAt(index, least)
      index = least
    }
  }
}

/// Something that happens at its time.
enum SimulatedEvent {
  /// A shard takes a turn, if its process still lives and nothing made it take an earlier one.
  case turn(Machine, shard: Int, life: Int)
  /// A job of a disk lane is done.
  case disk(Machine, DiskQueue)
  /// The first thing on a way through the network arrives.
  case arrival(NetworkWay)
  /// Anything else, with a word for the trace.
  case call(String, () -> Void)
}
