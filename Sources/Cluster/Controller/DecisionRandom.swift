internal import Primitives

/// The random numbers of one decision, drawn from the controller's seed and the offset it decides at: `decide` stays pure,
/// and two decisions that both lead to records never draw the same numbers.
struct DecisionRandom {
  private var state: UInt64

  init(seed: UInt64, offset: Offset) {
    state = Self.mixed(seed &+ Self.mixed(UInt64(bitPattern: offset.value) &+ 1))
  }

  /// The next number of SplitMix64.
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    return Self.mixed(state)
  }

  /// A number below `bound`, which is above 0. Its bias is that of a remainder of 64 bits: none to speak of.
  mutating func index(below bound: Int) -> Int {
    precondition(bound > 0, "a random index needs a positive bound, not \(bound)")
    return Int(next() % UInt64(bound))
  }

  /// A topic id that no topic of `image` has.
  mutating func topicID(notIn image: ClusterImage) -> UUID {
    while true {
      let id = UUID(random: { next() })
      if image.topic(id: id) == nil { return id }
    }
  }

  private static func mixed(_ value: UInt64) -> UInt64 {
    var mixed = value
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
