internal import OttlaClient

/// What has an order of its own: a partition, a key of it, or a single record.
enum LaneName: Hashable {
  case partition(TopicPartition)
  case key(TopicPartition, [UInt8])
  case record(TopicPartition, Int64)
}

/// Records that are worked on one after the other, by their tickets.
///
/// A lane: Can become: ready, when a record comes or one is over and others are there; busy, when its first record is
/// started, or waits for a time; over, when the last is.
struct Lane {
  let name: LaneName
  private var queue: [UInt64] = []
  private var first = 0
  /// The record that is worked on, or waits for its time.
  var current: UInt64?
  /// It stands in the line of those that are ready.
  var isListed = false

  init(_ name: LaneName) { self.name = name }

  var isEmpty: Bool { first == queue.count }
  var isReady: Bool { current == nil && !isEmpty }
  var isOver: Bool { current == nil && isEmpty }

  mutating func append(_ ticket: UInt64) { queue.append(ticket) }

  mutating func takeFirst() -> UInt64 {
    let ticket = queue[first]
    first += 1
    if first * 2 >= queue.count {
      queue.removeFirst(first)
      first = 0
    }
    return ticket
  }

  /// Drops what has not begun, and says what that was.
  mutating func removeQueued() -> [UInt64] {
    defer { (queue, first) = ([], 0) }
    return Array(queue[first...])
  }
}
