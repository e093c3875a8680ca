internal import KafkaProtocol
internal import Primitives

/// LeaveGroup: members go of their own will, or an operator removes static ones by their instance id.
extension GroupCoordinator {
  func leave(_ request: LeaveGroupRequest, _ asker: Asker, _ step: inout Step) {
    let body = GroupRequest.leaveGroup(request)
    guard Self.isValid(request.groupId) else {
      return step.answer(asker.token, body.refused(with: .invalidGroupId, version: asker.version))
    }
    // Before version 3 a request is about one member.
    let leavers = asker.version < 3 ? [.init(memberId: request.memberId)] : request.members
    let results = leave(leavers, GroupID(request.groupId), &step)
    var response = LeaveGroupResponse()
    if asker.version < 3 { response.errorCode = results.first?.errorCode ?? .none } else { response.members = results }
    step.answer(asker.token, .leaveGroup(response), onFailure: body.failed(version: asker.version))
  }

  private func leave(
    _ leavers: [LeaveGroupRequest.MemberIdentity], _ groupID: GroupID, _ step: inout Step
  ) -> [LeaveGroupResponse.MemberResponse] {
    let group = groups[groupID]
    var hasMemberLeft = false
    var hasPendingLeft = false
    let results = leavers.map { leaver in
      var code = ErrorCode.unknownMemberId
      if let group {
        let memberID = MemberID(leaver.memberId)
        if group.pendingMembers.contains(memberID) {
          removePending(memberID, from: group)
          hasPendingLeft = true
          code = .none
        } else {
          code = removeMember(memberID, instance: leaver.groupInstanceId, from: group, &step)
          if code == .none { hasMemberLeft = true }
        }
      }
      return LeaveGroupResponse.MemberResponse(
        memberId: leaver.memberId, groupInstanceId: leaver.groupInstanceId, errorCode: code)
    }
    guard let group else { return results }
    if hasMemberLeft {
      rebalanceAfterRemoval(group, &step)
    } else if hasPendingLeft {
      // A client that never was a member must not make the others rebalance.
      completeJoinIfAllJoined(group, &step)
      dropIfVacant(group)
    }
    return results
  }

  private func removeMember(
    _ memberID: MemberID, instance: String?, from group: ClassicGroup, _ step: inout Step
  ) -> ErrorCode {
    if memberID.isUnknown {
      guard let instance, let present = group.member(of: InstanceID(instance)) else { return .unknownMemberId }
      remove(present, from: group, &step)
      return .none
    }
    if let code = refusal(of: memberID, instance: instance, in: group) { return code }
    remove(memberID, from: group, &step)
    return .none
  }
}
