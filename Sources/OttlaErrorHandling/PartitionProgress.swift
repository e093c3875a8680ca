/// One partition while it is this member's: what is under way in it, and whether its records are to rest.
struct PartitionProgress<Record> {
  /// What keeps a partition's next records away.
  enum Condition {
    /// Nothing: they are welcome.
    case free
    /// As many records are under way as are allowed.
    case full
    /// A record waits for its time, and what is behind it waits with it.
    case waiting
  }

  var window = AcknowledgementWindow<Record>()
  /// How many of its records wait for a time.
  var waitingCount = 0
  /// It is being taken away: nothing is begun any more, and what runs is waited for.
  var isLeaving = false
  var isPaused = false
  private var isFull = false
  private(set) var condition = Condition.free

  /// Finds the condition anew. A full window counts as full until half of it is done: pausing costs a fetch each time.
  mutating func assess(recordsMax: Int, bytesMax: Int) {
    if window.count >= recordsMax || window.byteCount >= bytesMax {
      isFull = true
    } else if window.count <= recordsMax / 2, window.byteCount <= bytesMax / 2 {
      isFull = false
    }
    condition = waitingCount > 0 ? .waiting : isFull ? .full : .free
  }
}
