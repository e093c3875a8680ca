internal import KafkaProtocol
internal import Primitives

/// Static membership (KIP-345): a restarted client takes the place its instance id holds.
extension GroupCoordinator {
  /// From this version on a restarted leader is told the members, and that it need not assign anew (KIP-814).
  private static var skipAssignmentFrom: Int16 { 9 }

  /// `newcomer`, whose JoinGroup is parked in it, replaces `oldID`. In a stable group whose protocol stays, that is all:
  /// the new id is stored and the old assignment kept, nobody else notices.
  func replaceStaticMember(
    _ oldID: MemberID, with newcomer: GroupMember, in group: ClassicGroup, _ asker: Asker, _ step: inout Step
  ) {
    let oldLeader = group.leader
    guard let old = group.replace(oldID, with: newcomer) else { return }
    deadlines.cancel(.session(group.id, oldID))
    if let join = old.parkedJoin { answerJoin(join, oldID, .fencedInstanceId, &step) }
    if let sync = old.parkedSync { answerSync(sync, .fencedInstanceId, &step) }
    renewSession(of: newcomer.id, in: group, &step)

    switch group.state {
    case .stable where group.selectProtocol() == group.protocolName:
      let assignments = group.members.mapValues(\.assignment)
      let record = CoordinatorRecord.group(group, assignments: assignments)
      guard fits([record]) else { return rebalanceOrCompleteJoin(group, &step) }
      _ = group.takeJoin(of: newcomer.id)
      step.append(record)
      var response = group.joinResponse(for: newcomer.id)
      if asker.version >= Self.skipAssignmentFrom {
        response.skipAssignment = group.leader == newcomer.id
      } else {
        // An older client that learnt it leads would assign anew: it is told the id its former self had.
        response.leader = oldLeader?.text ?? ""
        response.members = []
      }
      let failure = JoinGroupResponse(errorCode: .coordinatorNotAvailable)
      step.answer(asker.token, .joinGroup(response), onFailure: .joinGroup(failure))
    case .preparingRebalance:
      completeJoinIfAllJoined(group, &step)
    case .empty, .stable, .completingRebalance:
      // While an assignment is awaited, the leader may be assigning to the old id: all start over.
      rebalanceOrCompleteJoin(group, &step)
    }
  }
}
