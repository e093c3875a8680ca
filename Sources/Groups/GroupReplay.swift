internal import KafkaProtocol
package import Primitives

/// Replay: the only way in which offsets and stable groups change, live and on load.
extension GroupCoordinator {
  /// Takes in one record of the partition. Kinds of records of other coordinators are left alone; what cannot be read
  /// is counted in `unreadableRecordCount`.
  package func replay(
    key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer?, at offset: Offset
  ) {
    switch DecodedRecord(key: key, value: value) {
    case .commit(let group, let topic, let partition, let committed):
      replayCommit(committed, group, topic, partition)
    case .group(let id, let value?): replayGroup(id, value)
    case .group(let id, nil): replayTombstone(of: id)
    case .foreign: break
    case .unreadable: unreadableRecordCount += 1
    }
  }

  private func replayCommit(_ committed: CommittedOffset?, _ group: GroupID, _ topic: String, _ partition: Int32) {
    guard let committed else { return offsets.remove(group: group, topic: topic, partition: partition) }
    offsets.set(committed, group: group, topic: topic, partition: partition)
    // A client that uses no membership makes its group by committing.
    if groups[group] == nil { groups[group] = ClassicGroup(id: group, at: committed.committedAt) }
  }

  private func replayGroup(_ id: GroupID, _ value: GroupMetadataValue) {
    guard isLoaded, let group = groups[id] else {
      groups[id] = ClassicGroup(id: id, value)
      return
    }
    group.confirm(value)
  }

  private func replayTombstone(of id: GroupID) {
    guard let group = groups[id] else { return }
    for memberID in group.pendingMembers.sorted() { removePending(memberID, from: group) }
    groups[id] = nil
    guard offsets.hasOffsets(of: id) else { return }
    // Only in a log that was tampered with: a group's offsets go with it, or before it.
    groups[id] = ClassicGroup(id: id, at: .none)
  }
}

extension ClassicGroup {
  /// A group as its record has it.
  fileprivate convenience init(id: GroupID, _ value: GroupMetadataValue) {
    let members = value.members.map { member in
      GroupMember(
        id: MemberID(member.memberId), instanceID: member.groupInstanceId.map(InstanceID.init),
        clientID: member.clientId, clientHost: member.clientHost,
        rebalanceTimeoutMs: member.rebalanceTimeout == -1 ? member.sessionTimeout : member.rebalanceTimeout,
        sessionTimeoutMs: member.sessionTimeout,
        protocols: [SupportedProtocol(name: value.protocol ?? "", metadata: member.subscription)],
        assignment: member.assignment)
    }
    self.init(
      id: id, generation: Generation(value.generation),
      protocolType: value.protocolType.isEmpty ? nil : value.protocolType, protocolName: value.protocol,
      leader: value.leader.map { MemberID($0) }, members: members,
      stateChangedAt: Timestamp(milliseconds: value.currentStateTimestamp))
  }

  /// The record that this group's last step asked for is in the log. An assignment in it makes the group stable.
  fileprivate func confirm(_ value: GroupMetadataValue) {
    isDurable = true
    guard generation.value == value.generation, state == .completingRebalance, !value.members.isEmpty else { return }
    for member in value.members { setAssignment(of: MemberID(member.memberId), to: member.assignment) }
    transition(to: .stable, at: stateChangedAt)
  }
}
