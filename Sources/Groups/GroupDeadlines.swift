package import Primitives

/// What a group coordinator waits for.
enum GroupDeadline: Hashable {
  /// A member's session, or the time in which a pending member is to join.
  case session(GroupID, MemberID)
  /// The end of the join phase: the initial delay, or the rebalance timeout.
  case join(GroupID)
  /// The end of the sync phase.
  case sync(GroupID)
  case offsetExpiration
}

extension GroupCoordinator {
  /// Most deadlines seen to in one step.
  private static var deadlinesPerStepMax: Int { 10_000 }
  /// A step that has this many records leaves the other deadlines to the next.
  private static var recordsPerStepMax: Int { 1_000 }

  /// When `timersFired` wants to be called; nil while nothing is awaited.
  package var nextDeadline: Instant? { deadlines.next }

  /// Sees to every deadline that has passed. One call may leave some to the next: `nextDeadline` tells.
  package func timersFired(now: Instant, wallClock: Timestamp) -> GroupEffects {
    var step = Step(now: now, wallClock: wallClock)
    for _ in 0..<Self.deadlinesPerStepMax where !isFull(step) {
      guard let deadline = deadlines.popDue(now) else { break }
      fire(deadline, &step)
    }
    return step.effects
  }

  /// Whether what comes next is to wait: half a batch is left for what the present deadline still adds.
  func isFull(_ step: Step) -> Bool {
    step.effects.records.count >= Self.recordsPerStepMax || step.recordBytes >= config.recordBatchMaxBytes / 2
  }

  private func fire(_ deadline: GroupDeadline, _ step: inout Step) {
    switch deadline {
    case .session(let groupID, let memberID):
      if let group = groups[groupID] { expireSession(of: memberID, in: group, &step) }
    case .join(let groupID):
      if let group = groups[groupID] { expireJoin(of: group, &step) }
    case .sync(let groupID):
      if let group = groups[groupID] { expireSync(of: group, &step) }
    case .offsetExpiration:
      expireOffsets(&step)
    }
  }

  /// Gives a member a whole session timeout from now.
  func renewSession(of memberID: MemberID, in group: ClassicGroup, _ step: inout Step) {
    guard let member = group.members[memberID] else { return }
    setSession(of: memberID, in: group, timeoutMs: member.sessionTimeoutMs, step)
  }

  func setSession(of memberID: MemberID, in group: ClassicGroup, timeoutMs: Int32, _ step: Step) {
    let deadline = step.now.advanced(byMilliseconds: Int64(max(0, timeoutMs)))
    deadlines.set(.session(group.id, memberID), at: deadline)
  }

  /// A session ran out. One that waits for us, and is not new, keeps its place: it gets a new session with its answer.
  private func expireSession(of memberID: MemberID, in group: ClassicGroup, _ step: inout Step) {
    if group.pendingMembers.contains(memberID) {
      removePending(memberID, from: group)
      if group.state == .preparingRebalance { completeJoinIfAllJoined(group, &step) }
      dropIfVacant(group)
    } else if let member = group.members[memberID], !member.hasSatisfiedHeartbeat {
      remove(memberID, from: group, &step)
      rebalanceAfterRemoval(group, &step)
    }
  }
}
