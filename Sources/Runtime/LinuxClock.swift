internal import CLinux
internal import Effects
package import Primitives

/// The machine's clocks.
package final class LinuxClock: TimeSource, Sendable {
  package init() {}
  package func now() -> Instant { Instant(nanoseconds: ottla_monotonic_ns()) }
  package func wallClock() -> Timestamp { Timestamp(milliseconds: ottla_wall_ms()) }
}

/// The kernel's random numbers.
package final class LinuxRandom: RandomSource, Sendable {
  package init() {}
  package func next() -> UInt64 { ottla_random() }
}
