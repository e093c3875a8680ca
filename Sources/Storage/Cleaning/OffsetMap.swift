internal import Primitives

/// The newest offset of each key, in memory of a fixed size: 24 bytes a key, open addressing. Kafka's `SkimpyOffsetMap`.
final class OffsetMap {
  /// In each slot the two halves of a key's hash, and its offset plus one; all zeros in a free slot.
  private static let slotByteCount = 24

  private let memory: UnsafeMutableRawPointer
  private let slotCount: Int
  /// Keys that fit at most.
  let countMax: Int
  private(set) var count = 0

  /// Room for `keyCountMax` keys, or for as many as `limits` allow.
  init(_ limits: CleaningLimits, keyCountMax: Int) {
    let affordable = limits.mapByteCountMax / Self.slotByteCount
    let wanted = Double(keyCountMax) / limits.mapLoadFactor + 1
    slotCount = max(1, wanted < Double(affordable) ? Int(wanted) : affordable)
    countMax = min(slotCount - 1, Int(Double(slotCount) * limits.mapLoadFactor))
    let byteCount = slotCount * Self.slotByteCount
    memory = .allocate(byteCount: byteCount, alignment: 16)
    memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
  }

  deinit { memory.deallocate() }

  /// Bytes that the keys take.
  var byteCount: Int { slotCount * Self.slotByteCount }

  /// `offset` is the newest of `key` so far; false where the key is new and there is no room for it.
  func put(_ key: KeyHash, _ offset: Offset) -> Bool {
    let slot = slot(of: key)
    if Self.isFree(slot) {
      guard count < countMax else { return false }
      count += 1
      slot.storeBytes(of: key.low, toByteOffset: 0, as: UInt64.self)
      slot.storeBytes(of: key.high, toByteOffset: 8, as: UInt64.self)
    }
    slot.storeBytes(of: offset.value &+ 1, toByteOffset: 16, as: Int64.self)
    return true
  }

  /// The newest offset of `key`; nil for a key that is not in the map.
  func latest(_ key: KeyHash) -> Offset? {
    let slot = slot(of: key)
    return Self.isFree(slot) ? nil : Offset(slot.load(fromByteOffset: 16, as: Int64.self) &- 1)
  }

  /// The slot that holds `key`, or the free one where it belongs. There always is a free one.
  @inline(__always)
  private func slot(of key: KeyHash) -> UnsafeMutableRawPointer {
    var number = Int(truncatingIfNeeded: key.low.multipliedFullWidth(by: UInt64(slotCount)).high)
    while true {
      let slot = memory + number &* Self.slotByteCount
      if Self.isFree(slot) { return slot }
      if slot.load(as: UInt64.self) == key.low, slot.load(fromByteOffset: 8, as: UInt64.self) == key.high {
        return slot
      }
      number &+= 1
      if number == slotCount { number = 0 }
    }
  }

  @inline(__always)
  private static func isFree(_ slot: UnsafeMutableRawPointer) -> Bool {
    slot.load(fromByteOffset: 16, as: Int64.self) == 0
  }
}
