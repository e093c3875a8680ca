internal import Primitives

/// Where the last batches of the active segment begin, so that consumers at the tail are answered without reading a header.
struct RecentBatches {
  private static let capacity = 64
  private var bases: [Int64] = []
  private var positions: [Int64] = []
  /// How many were ever noted; the newest is at `(noted - 1) % capacity`.
  private var noted = 0

  @inline(__always)
  mutating func note(baseOffset: Offset, position: Int64) {
    if bases.count < Self.capacity {
      bases.append(baseOffset.value)
      positions.append(position)
    } else {
      let place = noted % Self.capacity
      bases[place] = baseOffset.value
      positions[place] = position
    }
    noted &+= 1
  }

  mutating func removeAll() {
    bases.removeAll(keepingCapacity: true)
    positions.removeAll(keepingCapacity: true)
    noted = 0
  }

  /// The batch with the largest base offset that is at most `offset`, and where the batch behind it begins (nil when it
  /// is the newest); nil when it is not among those noted.
  @inline(__always)
  func batch(containing offset: Offset) -> (baseOffset: Offset, position: Int64, end: Int64?)? {
    let count = bases.count
    guard count > 0 else { return nil }
    let first = noted - count
    guard bases[first % Self.capacity] <= offset.value else { return nil }
    var low = 0
    var high = count
    while high - low > 1 {
      let middle = (low + high) >> 1
      if bases[(first + middle) % Self.capacity] <= offset.value { low = middle } else { high = middle }
    }
    let place = (first + low) % Self.capacity
    let end = low + 1 < count ? positions[(first + low + 1) % Self.capacity] : nil
    return (Offset(bases[place]), positions[place], end)
  }
}
