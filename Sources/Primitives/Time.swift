/// A point on the monotonic clock, in nanoseconds: for deadlines and durations. Means nothing in another process.
package struct Instant: Hashable, Comparable, Sendable {
  package let nanoseconds: Int64
  @inlinable package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }
  @inlinable package static func < (left: Instant, right: Instant) -> Bool { left.nanoseconds < right.nanoseconds }
  package static let distantFuture = Instant(nanoseconds: .max)

  /// `milliseconds` later, held at the distant future: callers pass what clients sent.
  @inlinable package func advanced(byMilliseconds milliseconds: Int64) -> Instant {
    let (scaled, tooLong) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
    if tooLong { return milliseconds < 0 ? self : .distantFuture }
    let (sum, overflow) = nanoseconds.addingReportingOverflow(scaled)
    return overflow ? (scaled < 0 ? self : .distantFuture) : Instant(nanoseconds: sum)
  }

  /// Milliseconds from `earlier` to here.
  @inlinable package func milliseconds(since earlier: Instant) -> Int64 {
    (nanoseconds &- earlier.nanoseconds) / 1_000_000
  }
}

/// A wall-clock time in milliseconds since 1970, as records carry it; -1 for none.
package struct Timestamp: Hashable, Comparable, Sendable {
  package let milliseconds: Int64
  @inlinable package init(milliseconds: Int64) { self.milliseconds = milliseconds }
  package static let none = Timestamp(milliseconds: -1)
  @inlinable package static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.milliseconds < right.milliseconds
  }
}
