internal import Launching
internal import OttlaClient
internal import OttlaJSON
internal import Synchronization
internal import UserNotifications

/// What this server shows: the notifications in the partitions that the group has given it, in memory.
///
/// The topic is what keeps them. So a partition is read from its beginning whenever it comes to this server, be it after a restart or from
/// another member, and forgotten when it goes. The group's committed offset says what somebody in the group has read before.
final class NotificationView: Sendable {
  /// What is known of a user's notifications here.
  enum Find: Sendable {
    case complete(Mailbox)
    /// The partition is this server's, and not read to its end yet.
    case incomplete(position: Int64)
    /// It is not this server's. `remembered` is what was in it if it was lost because the brokers are away.
    case elsewhere(remembered: Mailbox?)
  }

  private struct State {
    var mailboxes: Mailboxes
    /// Where records begin that nobody in the group has read before, by partition.
    var newFrom: [Int32: Int64] = [:]
    /// This member; there is one as soon as it has partitions.
    var consumer: Consumer?
    var topic = ""
  }

  private let state: Mutex<State>
  private let users: UserDirectory

  init(keptMax: Int, users: UserDirectory) {
    self.users = users
    state = Mutex(State(mailboxes: Mailboxes(keptMax: keptMax)))
  }

  /// The group has given partitions to this server, or takes them.
  func rebalance(_ rebalance: Rebalance) async {
    switch rebalance.kind {
    case .assigned: await begin(rebalance.partitions, rebalance.consumer)
    case .revoked:
      state.withLock { state in for each in rebalance.partitions { state.mailboxes.close(each.partition) } }
    case .lost:
      state.withLock { state in for each in rebalance.partitions { state.mailboxes.lose(each.partition) } }
      return say(
        "the group has not been heard of; \(Self.list(rebalance.partitions.map(\.partition))) may be others' now")
    }
    let left = state.withLock(\.mailboxes.partitions)
    let isChange = !rebalance.partitions.isEmpty
    guard isChange || rebalance.kind == .assigned else { return }
    let moved = isChange ? "\(rebalance.kind.rawValue) \(Self.list(rebalance.partitions.map(\.partition))); " : ""
    say("\(moved)this server reads \(left.isEmpty ? "nothing" : Self.list(left))")
  }

  private func begin(_ partitions: [TopicPartition], _ consumer: Consumer) async {
    let committed = (try? await consumer.committed(partitions)) ?? [:]
    state.withLock { $0.mailboxes.forgetLost() }
    for partition in partitions {
      state.withLock { state in
        (state.consumer, state.topic) = (consumer, partition.topic)
        state.mailboxes.open(partition.partition)
        state.newFrom[partition.partition] = committed[partition] ?? 0
      }
      // In a rebalance it only says where reading is to begin: nothing can fail.
      try? await consumer.seek(partition, to: .earliest)
    }
  }

  /// Takes a record into the view. One that is no notification is passed over: it must not hold up those behind it.
  func take(_ record: ConsumerRecord) {
    let outcome = Result { () throws -> Notification in
      let notification = try record.decode(Notification.self)
      try notification.check(key: record.keyText, directory: users)
      return notification
    }
    let isNew = state.withLock { state -> Bool in
      // The partition may have gone since, and even have come back: then the record comes again.
      guard let consumer = state.consumer, (try? consumer.store(record)) != nil else { return false }
      state.mailboxes.add(try? outcome.get(), from: record.partition, at: record.offset)
      return record.offset >= state.newFrom[record.partition] ?? 0
    }
    guard isNew else { return }
    let place = "\(record.topicPartition) at \(record.offset)"
    switch outcome {
    case .success(let notification):
      say("\(place): \(notification.from.name) to \(notification.to.name): \(notification.message)")
    case .failure(let error as NotificationError): complain("\(place) is passed over: \(error)")
    case .failure(let error): complain("passed over: \(error)")
    }
  }

  /// What `user` has received, if this server reads the partition that it is in.
  func find(_ user: User, in partition: Int32) -> Find {
    state.withLock { state in
      guard let consumer = state.consumer, let mailbox = state.mailboxes.mailbox(of: user, in: partition) else {
        return .elsewhere(remembered: state.mailboxes.remembered(of: user, in: partition))
      }
      if consumer.hasReachedEnd(of: TopicPartition(state.topic, partition)) { return .complete(mailbox) }
      return .incomplete(position: state.mailboxes.progress(of: partition)?.position ?? 0)
    }
  }

  /// A partition of this server, for whoever asks who reads what.
  struct Holding: Encodable, Sendable {
    let partition: Int32
    let isComplete: Bool
    let notifications: Int
    let passedOver: Int
    let position: Int64?
  }

  var holdings: [Holding] {
    state.withLock { state in
      state.mailboxes.partitions.compactMap { partition in
        state.mailboxes.progress(of: partition).map { progress in
          Holding(
            partition: partition,
            isComplete: state.consumer?.hasReachedEnd(of: TopicPartition(state.topic, partition)) ?? false,
            notifications: progress.notificationCount, passedOver: progress.passedOverCount,
            position: progress.position)
        }
      }
    }
  }

  private static func list(_ partitions: [Int32]) -> String {
    "partition\(partitions.count == 1 ? "" : "s") \(partitions.map(String.init).joined(separator: ", "))"
  }
}
