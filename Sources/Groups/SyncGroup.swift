internal import KafkaProtocol
internal import Primitives

/// SyncGroup: the leader brings the assignment, the others fetch theirs.
extension GroupCoordinator {
  func sync(_ request: SyncGroupRequest, _ asker: Asker, _ step: inout Step) {
    if let code = refusal(of: request, asker) { return answerSync(asker, code, &step) }
    let memberID = MemberID(request.memberId)
    guard let group = groups[GroupID(request.groupId)] else {
      return answerSync(asker, .unknownMemberId, &step)
    }
    switch group.state {
    case .empty: answerSync(asker, .unknownMemberId, &step)
    case .preparingRebalance: answerSync(asker, .rebalanceInProgress, &step)
    case .completingRebalance:
      if let earlier = group.parkSync(of: memberID, asker) { answerSync(earlier, .rebalanceInProgress, &step) }
      syncArrived(from: memberID, in: group)
      if group.leader == memberID { assign(request, in: group, &step) }
    case .stable:
      syncArrived(from: memberID, in: group)
      renewSession(of: memberID, in: group, &step)
      let assignment = group.members[memberID]?.assignment ?? []
      let failure = SyncGroupResponse(errorCode: .coordinatorNotAvailable)
      step.answer(asker.token, .syncGroup(group.syncResponse(assignment)), onFailure: .syncGroup(failure))
    }
  }

  private func refusal(of request: SyncGroupRequest, _ asker: Asker) -> ErrorCode? {
    guard Self.isValid(request.groupId) else { return .invalidGroupId }
    // From version 5 on members must say what they think they agreed on (KIP-559).
    if asker.version >= 5, request.protocolType == nil || request.protocolName == nil {
      return .inconsistentGroupProtocol
    }
    guard let group = groups[GroupID(request.groupId)] else { return .unknownMemberId }
    if let code = refusal(of: MemberID(request.memberId), instance: request.groupInstanceId, in: group) { return code }
    guard request.generationId == group.generation.value else { return .illegalGeneration }
    if let type = request.protocolType, type != group.protocolType { return .inconsistentGroupProtocol }
    if let name = request.protocolName, name != group.protocolName { return .inconsistentGroupProtocol }
    return nil
  }

  private func syncArrived(from memberID: MemberID, in group: ClassicGroup) {
    group.syncArrived(from: memberID)
    if group.pendingSyncs.isEmpty { deadlines.cancel(.sync(group.id)) }
  }

  /// The leader's assignment is stored, then told to all who wait; the replay of its record makes the group stable.
  /// Members it does not name get nothing.
  private func assign(_ request: SyncGroupRequest, in group: ClassicGroup, _ step: inout Step) {
    var assignments: [MemberID: [UInt8]] = [:]
    for entry in request.assignments { assignments[MemberID(entry.memberId)] = entry.assignment }
    let record = CoordinatorRecord.group(group, assignments: assignments)
    guard fits([record]) else {
      failSyncs(of: group, .unknownServerError, &step)
      return prepareRebalance(group, &step)
    }
    step.append(record)
    let failure = SyncGroupResponse(errorCode: .coordinatorNotAvailable)
    for member in group.membersInOrder {
      guard let asker = group.takeSync(of: member.id) else { continue }
      let response = group.syncResponse(assignments[member.id] ?? [])
      step.answer(asker.token, .syncGroup(response), onFailure: .syncGroup(failure))
      renewSession(of: member.id, in: group, &step)
    }
  }

  /// Gives the assignment up and tells those who wait for it.
  func failSyncs(of group: ClassicGroup, _ code: ErrorCode, _ step: inout Step) {
    for member in group.membersInOrder {
      group.setAssignment(of: member.id, to: [])
      guard let asker = group.takeSync(of: member.id) else { continue }
      answerSync(asker, code, &step)
      renewSession(of: member.id, in: group, &step)
    }
  }
}

extension ClassicGroup {
  func syncResponse(_ assignment: [UInt8]) -> SyncGroupResponse {
    SyncGroupResponse(protocolType: protocolType, protocolName: protocolName, assignment: assignment)
  }
}
