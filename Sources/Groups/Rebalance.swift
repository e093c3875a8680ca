internal import KafkaProtocol
internal import Primitives

/// The rebalance: from asking all to join again to the generation they form.
extension GroupCoordinator {
  /// Least time until a rebalance that nobody joined is looked at again: a client may have asked for a timeout of 0.
  private static var emptyRebalanceRetryMs: Int64 { 1_000 }

  func rebalanceOrCompleteJoin(_ group: ClassicGroup, _ step: inout Step) {
    if group.state == .preparingRebalance {
      completeJoinIfAllJoined(group, &step)
    } else {
      prepareRebalance(group, &step)
    }
  }

  /// Asks all members to join again. An empty group waits the initial delay, for others to come.
  func prepareRebalance(_ group: ClassicGroup, _ step: inout Step) {
    if group.state == .completingRebalance { failSyncs(of: group, .rebalanceInProgress, &step) }
    deadlines.cancel(.sync(group.id))
    let isInitial = group.state == .empty
    group.transition(to: .preparingRebalance, at: step.wallClock)
    if isInitial {
      let delayMs = Int64(max(0, config.initialRebalanceDelayMs))
      group.initialDelay = .init(delayMs: delayMs, remainingMs: max(0, group.rebalanceTimeoutMs - delayMs))
      deadlines.set(.join(group.id), at: step.now.advanced(byMilliseconds: delayMs))
    } else if group.hasAllMembersJoined {
      completeJoin(group, &step)
    } else {
      deadlines.set(.join(group.id), at: step.now.advanced(byMilliseconds: group.rebalanceTimeoutMs))
    }
  }

  /// Ends the join phase early where nobody is missing. A group that was empty waits its delay out.
  func completeJoinIfAllJoined(_ group: ClassicGroup, _ step: inout Step) {
    guard group.state == .preparingRebalance, group.previousState != .empty, group.hasAllMembersJoined else { return }
    completeJoin(group, &step)
  }

  /// The join phase's time is over. The initial delay begins again while members keep coming, up to the rebalance
  /// timeout.
  func expireJoin(of group: ClassicGroup, _ step: inout Step) {
    guard group.state == .preparingRebalance else { return }
    guard let delay = group.initialDelay, group.newMemberAdded, delay.remainingMs != 0 else {
      return completeJoin(group, &step)
    }
    group.newMemberAdded = false
    let nextDelayMs = min(Int64(max(0, config.initialRebalanceDelayMs)), delay.remainingMs)
    group.initialDelay = .init(delayMs: nextDelayMs, remainingMs: max(0, delay.remainingMs - delay.delayMs))
    deadlines.set(.join(group.id), at: step.now.advanced(byMilliseconds: nextDelayMs))
  }

  /// Forms the next generation of those who joined. Static members who did not keep their place until their session
  /// ends; where only such are left, the rebalance waits on.
  private func completeJoin(_ group: ClassicGroup, _ step: inout Step) {
    deadlines.cancel(.join(group.id))
    // From the last to the first: so the lead passes on at most once.
    for member in group.membersInOrder.reversed() where member.parkedJoin == nil && !member.isStatic {
      remove(member.id, from: group, &step)
    }
    guard group.members.isEmpty || group.electJoinedLeader() else {
      let delayMs = max(group.rebalanceTimeoutMs, Self.emptyRebalanceRetryMs)
      deadlines.set(.join(group.id), at: step.now.advanced(byMilliseconds: delayMs))
      return
    }
    group.beginGeneration(at: step.wallClock)
    guard group.state != .empty else {
      step.append(CoordinatorRecord.group(group, assignments: [:]))
      return
    }
    for member in group.membersInOrder {
      if let asker = group.takeJoin(of: member.id) {
        let refused = JoinGroupResponse(errorCode: .coordinatorNotAvailable, memberId: member.id.text)
        step.answer(asker.token, .joinGroup(group.joinResponse(for: member.id)), onFailure: .joinGroup(refused))
      }
      renewSession(of: member.id, in: group, &step)
      group.markKnown(member.id)
      group.expectSync(of: member.id)
    }
    deadlines.set(.sync(group.id), at: step.now.advanced(byMilliseconds: group.rebalanceTimeoutMs))
  }

  /// The sync phase's time is over: whoever has not sent its SyncGroup goes.
  func expireSync(of group: ClassicGroup, _ step: inout Step) {
    guard group.state == .completingRebalance || group.state == .stable, !group.pendingSyncs.isEmpty else { return }
    for member in group.membersInOrder.reversed() where group.pendingSyncs.contains(member.id) {
      remove(member.id, from: group, &step)
    }
    prepareRebalance(group, &step)
  }
}

/// Leaving, by whatever way.
extension GroupCoordinator {
  /// Takes a member out and answers what it had parked.
  func remove(_ memberID: MemberID, from group: ClassicGroup, _ step: inout Step) {
    deadlines.cancel(.session(group.id, memberID))
    guard let member = group.remove(memberID) else { return }
    if let join = member.parkedJoin { answerJoin(join, .unknown, .unknownMemberId, &step) }
    if let sync = member.parkedSync { answerSync(sync, .unknownMemberId, &step) }
  }

  func rebalanceAfterRemoval(_ group: ClassicGroup, _ step: inout Step) {
    if group.state != .empty { rebalanceOrCompleteJoin(group, &step) }
  }

  func removePending(_ memberID: MemberID, from group: ClassicGroup) {
    guard group.pendingMembers.contains(memberID) else { return }
    deadlines.cancel(.session(group.id, memberID))
    _ = group.remove(memberID)
    pendingMemberCount -= 1
  }

  /// Forgets a group of which nothing is left and nothing is stored.
  func dropIfVacant(_ group: ClassicGroup) {
    guard group.state == .empty, !group.isDurable, group.pendingMembers.isEmpty, !offsets.hasOffsets(of: group.id)
    else { return }
    groups[group.id] = nil
  }

  func answerJoin(of memberID: MemberID, in group: ClassicGroup, _ code: ErrorCode, _ step: inout Step) {
    if let asker = group.takeJoin(of: memberID) { answerJoin(asker, memberID, code, &step) }
  }

  func answerJoin(_ asker: Asker, _ memberID: MemberID, _ code: ErrorCode, _ step: inout Step) {
    step.answer(asker.token, .joinGroup(JoinGroupResponse(errorCode: code, memberId: memberID.text)))
  }

  func answerSync(of memberID: MemberID, in group: ClassicGroup, _ code: ErrorCode, _ step: inout Step) {
    if let asker = group.takeSync(of: memberID) { answerSync(asker, code, &step) }
  }

  func answerSync(_ asker: Asker, _ code: ErrorCode, _ step: inout Step) {
    step.answer(asker.token, .syncGroup(SyncGroupResponse(errorCode: code)))
  }
}
