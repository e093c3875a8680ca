internal import KafkaProtocol
internal import Primitives

/// Heartbeat: keeps a session, and tells of a rebalance.
extension GroupCoordinator {
  func heartbeat(_ request: HeartbeatRequest, _ asker: Asker, _ step: inout Step) {
    let code = heartbeatCode(request, &step)
    step.answer(asker.token, .heartbeat(HeartbeatResponse(errorCode: code)))
  }

  private func heartbeatCode(_ request: HeartbeatRequest, _ step: inout Step) -> ErrorCode {
    guard Self.isValid(request.groupId) else { return .invalidGroupId }
    guard let group = groups[GroupID(request.groupId)] else { return .unknownMemberId }
    let memberID = MemberID(request.memberId)
    if let code = refusal(of: memberID, instance: request.groupInstanceId, in: group) { return code }
    guard request.generationId == group.generation.value else { return .illegalGeneration }
    switch group.state {
    case .empty:
      return .unknownMemberId
    case .preparingRebalance:
      renewSession(of: memberID, in: group, &step)
      return .rebalanceInProgress
    case .completingRebalance, .stable:
      renewSession(of: memberID, in: group, &step)
      return .none
    }
  }
}
