/// Which of the rows at hand to publish next, and what came of each. Decides only: it publishes nothing and knows no clock.
///
/// A lane can become: ready (its next row may start), in flight, over (no rows left, or one of them failed).
struct BatchPlan {
  enum Result: Hashable, Sendable {
    case sent
    case failed(String)
    case refused(String)
  }

  private struct Lane {
    var rows: [OutboxRow]
    var next = 0
  }

  private var lanes: [Lane] = []
  /// Indices of lanes that are ready. A lane goes to the end when its row is done: none waits for a longer one.
  private var ready: [Int] = []
  private var readyFirst = 0
  private var laneInFlight: [Int64: Int] = [:]
  private var failuresInARow = 0
  private var isStopped = false
  private let inFlightMax: Int
  private let failuresInARowMax: Int
  /// What came of the rows, in the order in which they were done.
  private(set) var results: [(row: OutboxRow, result: Result)] = []

  /// - Parameter rows: in the order of their positions.
  init(rows: [OutboxRow], inFlightMax: Int, failuresInARowMax: Int) {
    self.inFlightMax = inFlightMax
    self.failuresInARowMax = failuresInARowMax
    var known: [Int64: Int] = [:]
    for row in rows {
      if let name = row.lane, let index = known[name] {
        lanes[index].rows.append(row)
      } else {
        if let name = row.lane { known[name] = lanes.count }
        lanes.append(Lane(rows: [row]))
      }
    }
    ready = Array(lanes.indices)
  }

  var inFlightCount: Int { laneInFlight.count }

  /// Nothing more is started; what is in flight is still waited for.
  mutating func stop() { isStopped = true }

  /// The next row to start; nil when none may be started now. With nothing in flight, nil is the end.
  mutating func start() -> OutboxRow? {
    guard !isStopped, laneInFlight.count < inFlightMax, readyFirst < ready.count else { return nil }
    let index = ready[readyFirst]
    readyFirst += 1
    let row = lanes[index].rows[lanes[index].next]
    laneInFlight[row.position] = index
    return row
  }

  /// Takes what came of a row that was started.
  mutating func finish(_ row: OutboxRow, _ result: Result) {
    guard let index = laneInFlight.removeValue(forKey: row.position) else {
      preconditionFailure("row \(row.position) is done and was not started")
    }
    results.append((row, result))
    switch result {
    case .sent:
      failuresInARow = 0
      lanes[index].next += 1
    case .refused:
      // It is set aside, and the lane goes on without it.
      lanes[index].next += 1
    case .failed:
      failuresInARow += 1
      if failuresInARow >= failuresInARowMax { isStopped = true }
      // What comes after it in its lane must not overtake it.
      return
    }
    if lanes[index].next < lanes[index].rows.count { ready.append(index) }
  }

  /// What is to be written down.
  ///
  /// - Parameter random: from 0 up to 1, asked once for each failure.
  func outcomes(retryPause: RetryPause, random: () -> Double) -> [OutboxOutcome] {
    results.map { row, result in
      switch result {
      case .sent: OutboxOutcome(position: row.position, result: .sent)
      case .refused(let reason): OutboxOutcome(position: row.position, result: .refused(reason: reason))
      case .failed(let reason):
        OutboxOutcome(
          position: row.position,
          result: .failed(
            reason: reason, delay: retryPause.delay(afterFailures: row.failureCount + 1, random: random())))
      }
    }
  }
}
