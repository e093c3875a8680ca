/// Knows when librdkafka has stopped fetching for want of room, and when there is room again.
///
/// librdkafka 2.0.2 looks for room when its connection wakes up, which may be a second later: a reader that is faster than that would stand
/// still. So it is given a reason to wake up as soon as half of what was full is free.
struct FetchPressure {
  let recordsMax: Int
  let bytesMax: Int
  private var wasFull = false
  private var isNudgeDue = false

  init(recordsMax: Int, bytesMax: Int) {
    self.recordsMax = recordsMax
    self.bytesMax = bytesMax
  }

  /// So many records were taken, and so many are left, of about the same size.
  mutating func note(taken: Int, bytes: Int, left: Int) {
    guard taken > 0 else { return }
    let bytesLeft = bytes / taken * left
    if left + taken >= recordsMax || bytesLeft + bytes >= bytesMax { wasFull = true }
    if wasFull, left <= recordsMax / 2, bytesLeft <= bytesMax / 2 {
      wasFull = false
      isNudgeDue = true
    }
  }

  mutating func takeNudge() -> Bool {
    defer { isNudgeDue = false }
    return isNudgeDue
  }
}
