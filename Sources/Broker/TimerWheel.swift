internal import Primitives

/// A timer that has been set, for taking it back.
struct TimerID: Hashable {
  fileprivate let value: UInt64
}

/// Deadlines by the million at a constant price each: four wheels of 64 slots, a tick of one millisecond.
struct TimerWheel<Payload> {
  private struct Entry {
    let id: TimerID
    let tick: Int64
    let payload: Payload
  }

  private static var levels: Int { 4 }
  private var slots: [[Entry]]
  /// A bit per slot that holds something, a word per level.
  private var occupied: [UInt64]
  /// Everything up to here has fired.
  private var tick: Int64
  /// Where every timer that is set stands: its slot, and its place there.
  private var places: [TimerID: (slot: Int, index: Int)] = [:]
  private var nextID: UInt64 = 0

  init(at now: Instant) {
    slots = Array(repeating: [], count: Self.levels * 64)
    occupied = Array(repeating: 0, count: Self.levels)
    tick = now.nanoseconds / 1_000_000
  }

  /// Lets `payload` fire at `deadline`, or at the next tick when that has passed. Never fires early.
  @discardableResult
  mutating func schedule(_ payload: Payload, at deadline: Instant) -> TimerID {
    let due = deadline == .distantFuture ? Int64.max : deadline.nanoseconds / 1_000_000 + 1
    nextID &+= 1
    let id = TimerID(value: nextID)
    insert(Entry(id: id, tick: max(due, tick + 1), payload: payload))
    return id
  }

  /// Takes a timer back; nothing happens when it has fired.
  mutating func cancel(_ id: TimerID) {
    guard let place = places.removeValue(forKey: id) else { return }
    // The last one of the slot takes its place: a slot's order means nothing beyond the deadline they share.
    let last = slots[place.slot].removeLast()
    if last.id != id {
      slots[place.slot][place.index] = last
      places[last.id] = place
    }
    if slots[place.slot].isEmpty { occupied[place.slot / 64] &= ~(1 << UInt64(place.slot % 64)) }
  }

  /// How many timers are set.
  var count: Int { places.count }

  private mutating func insert(_ entry: Entry) {
    // Beyond the widest wheel a timer waits in its farthest slot and is put in again from there.
    let distance = min(entry.tick - tick, (Int64(1) << 24) - 1)
    let level = distance < 64 ? 0 : distance < 4096 ? 1 : distance < 262_144 ? 2 : 3
    let slot = Int(((tick + distance) >> Int64(6 * level)) & 63)
    places[entry.id] = (level * 64 + slot, slots[level * 64 + slot].count)
    slots[level * 64 + slot].append(entry)
    occupied[level] |= 1 << UInt64(slot)
  }

  /// When to call `advance` next, at the latest; nil when nothing waits. May be early by what a coarse wheel rounds off.
  var nextDeadline: Instant? {
    nextTick.map { Instant(nanoseconds: $0 * 1_000_000) }
  }

  private var nextTick: Int64? {
    var earliest: Int64?
    for level in 0..<Self.levels where occupied[level] != 0 {
      let shift = Int64(6 * level)
      let position = UInt64((tick >> shift) & 63)
      // Slots behind the present one come first; the present one, at a coarse level, is a whole turn away.
      let rotation = (position + 1) & 63
      let rotated =
        rotation == 0 ? occupied[level] : (occupied[level] >> rotation) | (occupied[level] << (64 - rotation))
      let steps = Int64(rotated.trailingZeroBitCount) + 1
      let candidate = ((tick >> shift) + steps) << shift
      earliest = min(earliest ?? candidate, candidate)
    }
    return earliest
  }

  /// Moves to `now` and returns what fell due, in the order of the deadlines.
  mutating func advance(to now: Instant) -> [Payload] {
    let target = now.nanoseconds / 1_000_000
    guard target > tick else { return [] }
    var due: [Payload] = []
    while let next = nextTick, next <= target {
      tick = next
      for level in (1..<Self.levels).reversed() where tick & ((Int64(1) << Int64(6 * level)) - 1) == 0 {
        for entry in take(level, Int((tick >> Int64(6 * level)) & 63)) {
          if entry.tick <= tick { due.append(entry.payload) } else { insert(entry) }
        }
      }
      for entry in take(0, Int(tick & 63)) { due.append(entry.payload) }
    }
    tick = target
    return due
  }

  private mutating func take(_ level: Int, _ slot: Int) -> [Entry] {
    guard occupied[level] & (1 << UInt64(slot)) != 0 else { return [] }
    occupied[level] &= ~(1 << UInt64(slot))
    let entries = slots[level * 64 + slot]
    slots[level * 64 + slot] = []
    for entry in entries { places[entry.id] = nil }
    return entries
  }
}
