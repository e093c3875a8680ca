package import Primitives

/// Deadlines by key, soonest first; made for keys that are moved back again and again, as heartbeats do.
///
/// A key has at most one deadline. Moving it back costs one dictionary store: its place in the heap is put right when it
/// comes to the top. Equal deadlines come out in the order they were set.
package struct DeadlineQueue<Key: Hashable> {
  private struct Entry {
    var deadline: Instant
    var ordinal: UInt64
    var key: Key
    func precedes(_ other: Entry) -> Bool {
      deadline == other.deadline ? ordinal < other.ordinal : deadline < other.deadline
    }
  }
  private struct Setting {
    var deadline: Instant
    /// The deadline this key's live heap entry stands at: never later than `deadline`.
    var queuedAt: Instant
    /// The live entry's ordinal: every other entry of the key is stale.
    var ordinal: UInt64
  }

  private var settings: [Key: Setting] = [:]
  private var heap: [Entry] = []
  private var nextOrdinal: UInt64 = 0

  package init() {}

  package var count: Int { settings.count }

  /// The key's deadline; nil where it has none.
  package subscript(key: Key) -> Instant? { settings[key]?.deadline }

  /// Sets or moves the deadline of `key`.
  package mutating func set(_ key: Key, at deadline: Instant) {
    if let setting = settings[key], setting.queuedAt <= deadline {
      settings[key]?.deadline = deadline
    } else {
      queue(key, at: deadline)
    }
    settle()
  }

  package mutating func cancel(_ key: Key) {
    guard settings.removeValue(forKey: key) != nil else { return }
    settle()
  }

  /// The soonest deadline of all.
  package var next: Instant? { heap.first?.deadline }

  /// Takes out the soonest key whose deadline is `now` or earlier.
  package mutating func popDue(_ now: Instant) -> Key? {
    guard let top = heap.first, top.deadline <= now else { return nil }
    pop()
    settings[top.key] = nil
    settle()
    return top.key
  }

  private mutating func queue(_ key: Key, at deadline: Instant) {
    nextOrdinal &+= 1
    settings[key] = Setting(deadline: deadline, queuedAt: deadline, ordinal: nextOrdinal)
    push(Entry(deadline: deadline, ordinal: nextOrdinal, key: key))
  }

  /// Makes the top of the heap a real deadline: drops what was cancelled, sinks what was moved back. Where most of the
  /// heap is stale, builds it anew: cancelled entries must not pile up below a long-lived top.
  private mutating func settle() {
    if heap.count > 2 * settings.count + 64 { rebuild() }
    while let top = heap.first {
      guard let setting = settings[top.key], setting.ordinal == top.ordinal else {
        pop()
        continue
      }
      guard setting.deadline > top.deadline else { return }
      pop()
      queue(top.key, at: setting.deadline)
    }
  }

  private mutating func rebuild() {
    let live = heap.filter { settings[$0.key]?.ordinal == $0.ordinal }
    heap.removeAll(keepingCapacity: true)
    for entry in live { push(entry) }
  }

  private mutating func push(_ entry: Entry) {
    heap.append(entry)
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].precedes(heap[parent]) else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  private mutating func pop() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in (2 * parent + 1)..<(2 * parent + 3) where child < heap.count && heap[child].precedes(heap[least]) {
        least = child
      }
      guard least != parent else { return }
      heap.swapAt(parent, least)
      parent = least
    }
  }
}
