internal import KafkaProtocol
package import Primitives

/// The coordinator of the classic groups, and of the committed offsets, of one `__consumer_offsets` partition (Kafka's
/// GroupMetadataManager and OffsetMetadataManager).
///
/// Offsets and stable group metadata change by `replay` alone. Membership between two generations, parked requests and
/// deadlines are soft: changed by `handle` and `timersFired`, lost on failover by design. The driver replays the
/// partition, calls `loaded`, then hands in requests; it replays the records of each step before the next step. When an
/// append fails it sends the replies' `onFailure`, answers what is parked with `unloaded`, and loads a new coordinator.
package final class GroupCoordinator {
  package let partition: Int32
  /// Taken in by whatever comes next: deadlines that are set stay.
  package var config: GroupConfig
  /// Records that could not be read, and so were passed over: damage, or a version of the future.
  package internal(set) var unreadableRecordCount = 0

  var groups: [GroupID: ClassicGroup] = [:]
  var offsets = CommittedOffsets()
  var deadlines = DeadlineQueue<GroupDeadline>()
  var pendingMemberCount = 0
  /// Where the expiry of offsets goes on when it was too much for one step.
  var expirationCursor: GroupID?
  private(set) var isLoaded = false
  private let random: () -> UInt64

  /// - Parameter random: where member ids come from.
  package init(partition: Int32, config: GroupConfig, random: @escaping () -> UInt64) {
    self.partition = partition
    self.config = config
    self.random = random
  }

  /// Begins to serve: the whole partition has been replayed. Members get a fresh session; a group that is larger than
  /// the limit now allows is made to rebalance.
  package func loaded(now: Instant) {
    isLoaded = true
    var step = Step(now: now, wallClock: .none)
    for group in groupsInOrder {
      for member in group.membersInOrder { renewSession(of: member.id, in: group, &step) }
      if group.members.count > max(0, config.groupMaxSize) { prepareRebalance(group, &step) }
    }
    scheduleExpiration(after: config.offsetsRetentionCheckIntervalMs, now)
    precondition(step.effects.isEmpty, "loading answered somebody")
  }

  /// Ends serving: the partition's leadership went, or an append failed. Answers everything that is parked; the
  /// coordinator is not to be used again.
  package func unloaded() -> [GroupReply] {
    var step = Step(now: .distantFuture, wallClock: .none)
    for group in groupsInOrder {
      for member in group.membersInOrder {
        answerJoin(of: member.id, in: group, .notCoordinator, &step)
        answerSync(of: member.id, in: group, .notCoordinator, &step)
      }
    }
    return step.effects.replies
  }

  /// Takes a request in. Its answer is in the effects, or comes in those of a later step.
  package func handle(
    _ request: GroupRequest, version: Int16, from client: GroupClient, token: RequestToken, now: Instant,
    wallClock: Timestamp, topics: some TopicLookup
  ) -> GroupEffects {
    precondition(isLoaded, "a request came to group coordinator \(partition) before its partition was loaded")
    var step = Step(now: now, wallClock: wallClock)
    let asker = Asker(token: token, version: version)
    switch request {
    case .joinGroup(let body): join(body, from: client, asker, &step)
    case .syncGroup(let body): sync(body, asker, &step)
    case .heartbeat(let body): heartbeat(body, asker, &step)
    case .leaveGroup(let body): leave(body, asker, &step)
    case .offsetCommit(let body): commit(body, asker, topics, &step)
    case .offsetFetch(let body): fetchOffsets(body, asker, topics, &step)
    case .offsetDelete(let body): deleteOffsets(body, asker, topics, &step)
    case .describeGroups(let body): describe(body, asker, &step)
    case .listGroups(let body): list(body, asker, &step)
    case .deleteGroups(let body): delete(body, asker, &step)
    }
    return step.effects
  }

  var groupsInOrder: [ClassicGroup] { groups.values.sorted { $0.id < $1.id } }

  func makeMemberID(prefix: String) -> MemberID { MemberID.make(prefix: prefix, random: random) }

  /// Whether the records of one step fit into one batch of the offsets topic, with the header of the batch.
  func fits(_ records: [CoordinatorRecord]) -> Bool {
    records.reduce(128) { $0 + $1.batchBytes } <= config.recordBatchMaxBytes
  }
}

extension GroupCoordinator {
  /// Checks who a request says it comes from (KIP-345): nil where it is a member, and the present one of its instance.
  func refusal(of memberID: MemberID, instance: String?, in group: ClassicGroup) -> ErrorCode? {
    if let instance {
      guard let present = group.member(of: InstanceID(instance)) else { return .unknownMemberId }
      guard present == memberID else { return .fencedInstanceId }
    }
    return group.members[memberID] == nil ? .unknownMemberId : nil
  }

  /// A group id that requests of members may have: not empty, and short enough for a record's key.
  static func isValid(_ groupID: String) -> Bool { !groupID.isEmpty && isStorable(groupID) }

  /// Whether a string fits the int16 lengths of the records. (An answer in a flexible version could carry more.)
  static func isStorable(_ text: String) -> Bool { text.utf8.count <= 32_000 }
}
