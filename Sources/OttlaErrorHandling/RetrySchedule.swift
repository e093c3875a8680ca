/// Records that wait for a time: at most one of each place, for the records behind it wait too.
///
/// `Place` is what has an order of its own, `Record` what is to be tried again. It knows no clock: times are what the caller
/// says.
///
/// A record: Can become: waiting, by `failed` that says when to retry, or by `wait`; over, by `failed` that says it is used
/// up; due, by `takeDue`; over, by `forget` when its partition has gone to another member.
struct RetrySchedule<Place: Hashable & Comparable, Record> {
  private struct Waiting {
    let record: Record
    let due: ContinuousClock.Instant
  }

  enum Verdict: Equatable {
    case retry(at: ContinuousClock.Instant)
    /// It is not to be tried again.
    case usedUp
  }

  private let backOff: BackOff
  private var waiting: [Place: Waiting] = [:]

  init(_ backOff: BackOff) { self.backOff = backOff }

  var isEmpty: Bool { waiting.isEmpty }
  /// When the next record is due.
  var nextDue: ContinuousClock.Instant? { waiting.values.map(\.due).min() }

  func isWaiting(_ place: Place) -> Bool { waiting[place] != nil }

  /// A record has failed in its try number `triesCount`, from 1.
  mutating func failed(
    _ record: Record, of place: Place, triesCount: Int, _ kind: ErrorKind, now: ContinuousClock.Instant,
    using random: inout some RandomNumberGenerator
  ) -> Verdict {
    guard kind == .retriable, let wait = backOff.wait(beforeRetry: triesCount, using: &random) else { return .usedUp }
    self.wait(record, of: place, until: now + wait)
    return .retry(at: now + wait)
  }

  /// A record is not to be tried before `due`.
  mutating func wait(_ record: Record, of place: Place, until due: ContinuousClock.Instant) {
    precondition(waiting[place] == nil, "two records of \(place) wait")
    waiting[place] = Waiting(record: record, due: due)
  }

  /// Takes out the record that has been due for longest.
  mutating func takeDue(now: ContinuousClock.Instant) -> (place: Place, record: Record)? {
    let due = waiting.filter { $0.value.due <= now }
    guard let next = due.min(by: { ($0.value.due, $0.key) < ($1.value.due, $1.key) }) else { return nil }
    waiting[next.key] = nil
    return (next.key, next.value.record)
  }

  /// The partition is another's now; who has it reads the record again.
  mutating func forget(_ place: Place) { waiting[place] = nil }
}
