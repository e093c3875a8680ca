internal import Effects

/// Random numbers that a seed repeats (SplitMix64), for everything in a simulation.
final class SimulationRandom: RandomSource {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x2545_f491_4f6c_dd1d &+ 0x9e37_79b9_7f4a_7c15 }

  func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// From 0 to `limit`, that one left out; 0 where there is none.
  func below(_ limit: Int) -> Int { limit <= 1 ? 0 : Int(next() % UInt64(limit)) }

  /// One of these.
  func pick<Value>(_ values: [Value]) -> Value { values[below(values.count)] }

  func within(_ range: ClosedRange<Int>) -> Int { range.lowerBound + below(range.count) }

  func chance(percent: Int) -> Bool { below(100) < percent }

  /// Another source, whose numbers are its own: what one part draws changes nothing for the others.
  func split() -> SimulationRandom { SimulationRandom(seed: next()) }
}
