/// What one user has received: the newest `keptMax` notifications, and how many there were in all.
package struct Mailbox: Sendable {
  private let keptMax: Int
  private var newest: [Notification] = []
  private var receivedCount = 0

  package init(keptMax: Int) {
    precondition(keptMax > 0, "a mailbox that keeps \(keptMax) notifications")
    self.keptMax = keptMax
  }

  /// Those that are kept, the oldest first.
  package var notifications: [Notification] { Array(newest.suffix(keptMax)) }

  /// How many older ones there were, which only the topic has.
  package var omittedCount: Int { max(0, receivedCount - keptMax) }

  mutating func add(_ notification: Notification) {
    newest.append(notification)
    receivedCount += 1
    // Not one at a time: each time all the others would move.
    if newest.count >= 2 * keptMax { newest.removeFirst(newest.count - keptMax) }
  }
}

/// The mailboxes of the partitions that a consumer reads at present. What a partition holds comes and goes with the partition:
/// the topic is what keeps it, and a mailbox only a view of it.
///
/// A partition can become: open, lost, closed. Lost is one of which nobody knows who reads it, because no broker can be asked: what was in it
/// is remembered, to have something to show until the group is heard of again.
package struct Mailboxes: Sendable {
  /// How far the reading of a partition has come.
  package struct Progress: Hashable, Sendable {
    package fileprivate(set) var notificationCount = 0
    /// Records that were no notifications.
    package fileprivate(set) var passedOverCount = 0
    /// Behind the last record; nil before the first one.
    package fileprivate(set) var position: Int64?
  }

  private struct Shelf {
    var progress = Progress()
    var mailboxes: [Int: Mailbox] = [:]
  }

  private let keptMax: Int
  private var shelves: [Int32: Shelf] = [:]
  private var lost: [Int32: Shelf] = [:]

  /// - Parameter keptMax: how many notifications are kept for each user.
  package init(keptMax: Int) { self.keptMax = keptMax }

  /// The partitions that are open, in order.
  package var partitions: [Int32] { shelves.keys.sorted() }

  /// The partition is read from its beginning, from now on.
  package mutating func open(_ partition: Int32) { shelves[partition] = Shelf() }

  /// The partition is somebody else's.
  package mutating func close(_ partition: Int32) { shelves[partition] = nil }

  /// The group has not been heard of for so long that the partition may be somebody else's.
  package mutating func lose(_ partition: Int32) { lost[partition] = shelves.removeValue(forKey: partition) }

  /// The group has been heard of again: what was lost is read anew by whoever has it now.
  package mutating func forgetLost() { lost = [:] }

  /// Takes what a record says; nil is a record that says nothing. One of a partition that is not open is none of ours.
  package mutating func add(_ notification: Notification?, from partition: Int32, at offset: Int64) {
    guard shelves[partition] != nil else { return }
    shelves[partition]?.progress.position = offset + 1
    guard let notification else {
      shelves[partition]?.progress.passedOverCount += 1
      return
    }
    shelves[partition]?.progress.notificationCount += 1
    shelves[partition]?.mailboxes[notification.to.id, default: Mailbox(keptMax: keptMax)].add(notification)
  }

  /// What `user` has received in a partition; nil where it is not open.
  package func mailbox(of user: User, in partition: Int32) -> Mailbox? {
    shelves[partition].map { $0.mailboxes[user.id] ?? Mailbox(keptMax: keptMax) }
  }

  /// What `user` had received in a partition when it was lost; nil where it was not lost.
  package func remembered(of user: User, in partition: Int32) -> Mailbox? {
    lost[partition].map { $0.mailboxes[user.id] ?? Mailbox(keptMax: keptMax) }
  }

  /// How far a partition is; nil where it is not open.
  package func progress(of partition: Int32) -> Progress? { shelves[partition]?.progress }
}
