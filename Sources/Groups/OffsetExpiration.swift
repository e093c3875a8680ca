internal import Primitives

/// The expiry of offsets that nobody uses (KIP-211), and of groups that have nothing left.
extension GroupCoordinator {
  func scheduleExpiration(after milliseconds: Int64, _ now: Instant) {
    deadlines.set(.offsetExpiration, at: now.advanced(byMilliseconds: max(1, milliseconds)))
  }

  /// Goes through the groups in order of name, a bounded number of records at a time.
  func expireOffsets(_ step: inout Step) {
    let waiting = groupsInOrder.drop { group in expirationCursor.map { group.id < $0 } ?? false }
    for group in waiting {
      if expireOffsets(of: group, &step) { expire(group, &step) }
      if isFull(step) {
        // The rest when these records have been replayed, this group's remaining offsets first.
        expirationCursor = group.id
        return scheduleExpiration(after: 1, step.now)
      }
    }
    expirationCursor = nil
    scheduleExpiration(after: config.offsetsRetentionCheckIntervalMs, step.now)
  }

  /// Whether the group is empty, awaits nobody, and loses its last offsets in this step.
  private func expireOffsets(of group: ClassicGroup, _ step: inout Step) -> Bool {
    var areAllExpired = true
    for (topic, partitions) in offsets.topics(of: group.id) {
      let isKept = group.isSubscribed(to: topic)
      for (partition, offset) in partitions {
        guard !isFull(step) else { return false }
        guard !isKept, isExpired(offset, of: group, at: step.wallClock) else {
          areAllExpired = false
          continue
        }
        step.append(.commitTombstone(group: group.id, topic: topic, partition: partition))
      }
    }
    return areAllExpired && group.state == .empty && group.pendingMembers.isEmpty
  }

  /// A group of which something is stored goes with its tombstone; any other at once.
  private func expire(_ group: ClassicGroup, _ step: inout Step) {
    if group.isDurable || offsets.hasOffsets(of: group.id) {
      step.append(.groupTombstone(group.id))
    } else {
      dropIfVacant(group)
    }
  }

  /// An offset counts from its commit, or from when its group became empty if that is known: members that only wait
  /// for records keep their offsets. A rebalancing group expires nothing.
  private func isExpired(_ offset: CommittedOffset, of group: ClassicGroup, at now: Timestamp) -> Bool {
    let base: Timestamp
    if group.protocolType == nil {
      base = offset.committedAt
    } else if group.state == .empty {
      base = group.stateChangedAt == .none ? offset.committedAt : group.stateChangedAt
    } else if group.state == .stable, group.isConsumerGroup, group.subscribedTopics != nil {
      base = offset.committedAt
    } else {
      return false
    }
    if offset.expiresAt != .none { return now >= offset.expiresAt }
    return now.milliseconds &- base.milliseconds >= config.offsetsRetentionMs
  }
}
