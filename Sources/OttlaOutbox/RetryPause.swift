/// Waiting longer after each failure.
///
/// ```swift
/// let pause = RetryPause(first: .seconds(1), factor: 2, max: .seconds(60), jitter: 0.2)   // about 1, 2, 4 ... 60 s
/// ```
public struct RetryPause: Sendable, Hashable {
  /// The wait after the first failure.
  public var first: Duration
  /// How many times longer each wait is than the one before; below 1 counts as 1.
  public var factor: Double
  /// The longest wait.
  public var max: Duration
  /// The share of a delay that is left to chance, from 0 to 1, so that those who failed together do not come back together.
  public var jitter: Double

  /// Waits from `first` on, each `factor` times the one before, up to `max`.
  public init(first: Duration, factor: Double, max: Duration, jitter: Double) {
    self.first = first
    self.factor = factor
    self.max = max
    self.jitter = jitter
  }

  /// How long to wait after the `count`-th failure in a row; 0 counts as 1.
  ///
  /// ```swift
  /// let pause = RetryPause(first: .seconds(1), factor: 2, max: .seconds(60), jitter: 0.2)
  /// // 4 seconds, a tenth more or less
  /// try await Task.sleep(for: pause.delay(afterFailures: 3, random: .random(in: 0..<1)))
  /// ```
  ///
  /// - Parameter random: from 0 up to 1; 0.5 is the middle.
  public func delay(afterFailures count: Int, random: Double) -> Duration {
    let base = Self.seconds(first) * Self.power(Swift.max(factor, 1), Swift.max(count, 1) - 1)
    let bounded = Swift.min(base, Self.seconds(max))
    let spread = bounded * Swift.min(Swift.max(jitter, 0), 1)
    return .seconds(Swift.min(bounded - spread / 2 + spread * random, Self.seconds(max)))
  }

  private static func seconds(_ duration: Duration) -> Double {
    let parts = duration.components
    return Double(parts.seconds) + Double(parts.attoseconds) / 1e18
  }

  /// Grows to infinity, never beyond: there is nothing to overflow.
  private static func power(_ factor: Double, _ exponent: Int) -> Double {
    var result = 1.0
    for _ in 0..<Swift.min(exponent, 1024) { result *= factor }
    return result
  }
}
