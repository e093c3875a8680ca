/// What becomes, in a power cut, of what was never synced.
package enum UnsyncedFate: Sendable, CaseIterable {
  case lost
  case kept
  /// Any part of it: pages in any order with the size old or new, names up to any point of each folder's history.
  case mixed
}

/// Random numbers that a seed repeats.
struct DiskRandom {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 &+ 0x1234_5678_9abc_def1 }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  mutating func coin() -> Bool { next() & 1 == 0 }

  /// 0 up to, and not, `limit`; 0 where there is none.
  mutating func below(_ limit: Int) -> Int { limit <= 1 ? 0 : Int(next() % UInt64(limit)) }
}
