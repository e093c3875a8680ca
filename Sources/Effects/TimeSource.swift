package import Primitives

/// The clocks, as the broker sees them. The simulator's stand still until it moves them.
package protocol TimeSource: AnyObject {
  /// The monotonic clock.
  func now() -> Instant
  /// The wall clock.
  func wallClock() -> Timestamp
}

/// Where randomness comes from: the kernel, or a seed.
package protocol RandomSource: AnyObject {
  func next() -> UInt64
}
