/// When to publish, when to clean, and how long to sleep. Decides only; times are those of a clock that never goes back, since the
/// publisher's start.
struct PublisherSchedule {
  enum Step: Hashable {
    case publish
    case clean
    case sleep(Duration)
  }

  /// What came of a pass.
  struct Pass: Hashable, Sendable {
    var sentCount = 0
    var failedCount = 0
    var refusedCount = 0
    var isMoreLikely = false
  }

  private let settings: OutboxSettings
  private var nextPass = Duration.zero
  private var nextCleaning: Duration
  private var failuresInARow = 0
  /// Somebody has called while broker or store failed: there is something to publish when they do not any more.
  private var isWakeOwed = false

  init(_ settings: OutboxSettings) {
    self.settings = settings
    nextCleaning = settings.cleaningInterval
  }

  /// Cleaning comes first where both are due: it is short, and under load a pass is always due.
  func step(at now: Duration) -> Step {
    if now >= nextCleaning { return .clean }
    if now >= nextPass { return .publish }
    return .sleep(min(nextPass, nextCleaning) - now)
  }

  /// - Parameter random: from 0 up to 1.
  mutating func passEnded(_ pass: Pass, at now: Duration, random: Double) {
    if pass.sentCount == 0, pass.failedCount > 0 {
      failed(at: now, random: random)
    } else {
      failuresInARow = 0
      // What is more than what failed may be published at once; the failed rows have delays of their own.
      nextPass = pass.isMoreLikely || isWakeOwed ? now : now + settings.interval
      isWakeOwed = false
    }
  }

  /// There is something to publish. Where broker or store failed, that is no reason to ask them sooner.
  mutating func wake(at now: Duration) {
    if failuresInARow == 0 { nextPass = min(nextPass, now) } else { isWakeOwed = true }
  }

  /// The store could not be asked, or could not write down what came of a pass.
  mutating func storeFailed(at now: Duration, random: Double) { failed(at: now, random: random) }

  private mutating func failed(at now: Duration, random: Double) {
    failuresInARow += 1
    nextPass = now + settings.retryPause.delay(afterFailures: failuresInARow, random: random)
  }

  /// - Parameter isMoreLikely: as many were removed as may be at a time.
  mutating func cleaningEnded(isMoreLikely: Bool, at now: Duration) {
    nextCleaning = isMoreLikely ? now : now + settings.cleaningInterval
  }

  mutating func cleaningFailed(at now: Duration) { nextCleaning = now + settings.cleaningInterval }
}
