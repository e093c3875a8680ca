package import Primitives

/// Keeps what anybody can cause from flooding the log: one line a second, with the number of those that were left out.
package struct RepeatedLine {
  private var nextAt: Instant?
  private var leftOut = 0

  package init() {}

  /// Whether a line may be written now: how many like it were left out since the last one; nil to leave this one out too.
  package mutating func admit(at now: Instant) -> Int? {
    if let nextAt, now < nextAt {
      leftOut += 1
      return nil
    }
    nextAt = now.advanced(byMilliseconds: 1000)
    defer { leftOut = 0 }
    return leftOut
  }
}
