internal import Glibc

/// Time that has passed on the monotonic clock.
package struct Stopwatch: Sendable {
  private let startedAt: Int64

  package init() { startedAt = Self.monotonicNanoseconds() }

  package var nanoseconds: Int64 { Self.monotonicNanoseconds() - startedAt }
  package var milliseconds: Int64 { nanoseconds / 1_000_000 }
  package var seconds: Double { Double(nanoseconds) / 1e9 }

  package static func monotonicNanoseconds() -> Int64 { read(CLOCK_MONOTONIC) }
  /// Milliseconds since 1970.
  package static func wallClockMilliseconds() -> Int64 { read(CLOCK_REALTIME) / 1_000_000 }

  private static func read(_ clock: clockid_t) -> Int64 {
    var now = timespec()
    clock_gettime(clock, &now)
    return Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec)
  }
}
