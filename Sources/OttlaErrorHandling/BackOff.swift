/// How long a record waits before it is tried again, and how often it is (Spring's `FixedBackOff` and
/// `ExponentialBackOff`).
///
/// ```swift
/// let patient = BackOff.exponential(from: .seconds(2), upTo: .seconds(60), retries: 4)   // 2 s, 4 s, 8 s, 16 s
/// ```
///
/// How long may a partition rest at one record? That is worth a line of log when the program starts:
///
/// ```swift
/// let backOff = BackOff.exponential(from: .seconds(1), multiplier: 2, upTo: .seconds(60), retries: 8, jitter: 0.2)
/// print("\(backOff.retriesMax) retries, from \(backOff.initial), times \(backOff.multiplier), up to \(backOff.limit)")
/// // 1 + 2 + 4 + 8 + 16 + 32 + 60 + 60 s
/// let longest = (1...backOff.retriesMax).compactMap { backOff.wait(beforeRetry: $0) }.reduce(.zero, +)
/// print("at most \(longest), by chance down to \(longest * (1 - backOff.jitter))")
/// ```
public struct BackOff: Hashable, Sendable {
  /// The wait before the first retry.
  public let initial: Duration
  /// What the wait grows by from one retry to the next, 1000 at most; 1 keeps it as it is.
  public let multiplier: Double
  /// The wait grows no further than this.
  public let limit: Duration
  /// How often a record is tried again; the first try does not count.
  public let retriesMax: Int
  /// How much of a wait may be cut off by chance, from 0 to 1: many who failed together do not come back together.
  public let jitter: Double

  private init(initial: Duration, multiplier: Double, limit: Duration, retriesMax: Int, jitter: Double) {
    self.initial = min(max(.zero, initial), Self.longest)
    self.multiplier = multiplier.isFinite ? min(max(1, multiplier), 1000) : 1
    self.limit = min(max(self.initial, limit), Self.longest)
    self.retriesMax = max(0, retriesMax)
    self.jitter = jitter.isFinite ? min(1, max(0, jitter)) : 0
  }

  /// Ten years: further on sums would leave the range of a duration.
  private static let longest = Duration.seconds(315_360_000)

  /// The same wait before each of `retries` retries.
  ///
  /// ```swift
  /// let backOff = BackOff.fixed(.seconds(1), retries: 2)   // three tries in all
  /// ```
  public static func fixed(_ interval: Duration, retries: Int) -> BackOff {
    BackOff(initial: interval, multiplier: 1, limit: interval, retriesMax: retries, jitter: 0)
  }

  /// Waits that grow by `multiplier` from `initial` up to `limit`, for `retries` retries.
  ///
  /// ```swift
  /// let backOff = BackOff.exponential(from: .milliseconds(100), multiplier: 3, retries: .max, jitter: 0.5)
  /// ```
  ///
  /// - Parameter jitter: how much of each wait may be cut off by chance, from 0 to 1.
  public static func exponential(
    from initial: Duration, multiplier: Double = 2, upTo limit: Duration = .seconds(60), retries: Int,
    jitter: Double = 0
  ) -> BackOff {
    BackOff(initial: initial, multiplier: multiplier, limit: limit, retriesMax: retries, jitter: jitter)
  }

  /// No second try.
  ///
  /// ```swift
  /// // By the time of a retry there is a newer price.
  /// let prices = ErrorHandler(backOff: .none, whenUsedUp: .skip)
  /// ```
  public static let none = BackOff.fixed(.zero, retries: 0)

  /// The wait before a retry, without its jitter; nil where there is none any more.
  ///
  /// ```swift
  /// let backOff = BackOff.exponential(from: .seconds(2), upTo: .seconds(10), retries: 4)
  /// #expect(backOff.wait(beforeRetry: 3) == .seconds(8))
  /// #expect(backOff.wait(beforeRetry: 4) == .seconds(10))   // its limit
  /// #expect(backOff.wait(beforeRetry: 5) == nil)
  /// ```
  ///
  /// - Parameter number: 1 for the first retry.
  public func wait(beforeRetry number: Int) -> Duration? {
    guard number >= 1, number <= retriesMax else { return nil }
    guard multiplier > 1, initial > .zero else { return initial }
    var wait = initial
    // Far fewer rounds than retries: a wait that has reached its limit stays there.
    for _ in 1..<number {
      if wait >= limit { break }
      wait = min(limit, wait * multiplier)
    }
    return wait
  }

  /// The wait before a retry, with its jitter drawn from `random`; nil where there is none any more.
  func wait(beforeRetry number: Int, using random: inout some RandomNumberGenerator) -> Duration? {
    guard let wait = wait(beforeRetry: number) else { return nil }
    guard jitter > 0 else { return wait }
    return wait * (1 - jitter * Double.random(in: 0...1, using: &random))
  }
}
