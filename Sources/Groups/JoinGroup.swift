internal import KafkaProtocol
internal import Primitives

/// JoinGroup: who may come in, and as whom.
extension GroupCoordinator {
  /// From this version on a new dynamic member is first given its id and joins with it (KIP-394): joins that are sent
  /// again after a lost connection then do not fill the group with members nobody knows.
  private static var memberIDRequiredFrom: Int16 { 4 }

  func join(_ request: JoinGroupRequest, from client: GroupClient, _ asker: Asker, _ step: inout Step) {
    if let code = refusal(of: request) { return refuse(request, code, asker, &step) }
    let groupID = GroupID(request.groupId)
    let memberID = MemberID(request.memberId)
    // A group is founded by a client without an id; who claims to be a member of no group is mistaken.
    guard let group = groups[groupID] ?? (memberID.isUnknown ? ClassicGroup(id: groupID, at: step.wallClock) : nil)
    else { return refuse(request, .unknownMemberId, asker, &step) }
    guard accepts(memberID, into: group) else {
      removePending(memberID, from: group)
      remove(memberID, from: group, &step)
      step.answer(asker.token, .joinGroup(JoinGroupResponse(errorCode: .groupMaxSizeReached)))
      return completeJoinIfAllJoined(group, &step)
    }
    let joiner = GroupMember(request, memberID, client, asker)
    guard group.supports(protocolType: request.protocolType, protocols: joiner.protocols) else {
      return refuse(request, .inconsistentGroupProtocol, asker, &step)
    }
    groups[groupID] = group
    if memberID.isUnknown {
      joinAsNewMember(joiner, request, to: group, asker, &step)
    } else if group.pendingMembers.contains(memberID) {
      joinAsPendingMember(joiner, request, to: group, asker, &step)
    } else if let code = self.refusal(of: memberID, instance: request.groupInstanceId, in: group) {
      refuse(request, code, asker, &step)
    } else {
      rejoin(joiner, request, in: group, asker, &step)
    }
  }

  private func refusal(of request: JoinGroupRequest) -> ErrorCode? {
    guard Self.isValid(request.groupId) else { return .invalidGroupId }
    guard
      (config.minSessionTimeoutMs...max(config.minSessionTimeoutMs, config.maxSessionTimeoutMs))
        .contains(request.sessionTimeoutMs)
    else { return .invalidSessionTimeout }
    let names = [request.groupInstanceId ?? "", request.protocolType] + request.protocols.map(\.name)
    return names.allSatisfy(Self.isStorable) ? nil : .invalidRequest
  }

  private func refuse(_ request: JoinGroupRequest, _ code: ErrorCode, _ asker: Asker, _ step: inout Step) {
    step.answer(asker.token, GroupRequest.joinGroup(request).refused(with: code, version: asker.version))
  }

  /// Whether `group.max.size` leaves room. During a rebalance those who have joined count, not those who were there:
  /// so a group that is over a lowered limit loses whoever comes last.
  private func accepts(_ memberID: MemberID, into group: ClassicGroup) -> Bool {
    switch group.state {
    case .empty: true
    case .preparingRebalance:
      group.members[memberID]?.parkedJoin != nil || group.awaitingJoinCount < config.groupMaxSize
    case .completingRebalance, .stable:
      group.members[memberID] != nil || group.members.count < config.groupMaxSize
    }
  }

  private func joinAsNewMember(
    _ joiner: GroupMember, _ request: JoinGroupRequest, to group: ClassicGroup, _ asker: Asker, _ step: inout Step
  ) {
    let memberID = makeMemberID(prefix: request.groupInstanceId ?? joiner.clientID)
    if let instance = joiner.instanceID {
      guard let oldID = group.member(of: instance) else {
        return add(joiner.renamed(memberID), request, to: group, &step)
      }
      replaceStaticMember(oldID, with: joiner.renamed(memberID), in: group, asker, &step)
    } else if asker.version >= Self.memberIDRequiredFrom {
      guard pendingMemberCount < config.pendingMembersMax else {
        dropIfVacant(group)
        return refuse(request, .groupMaxSizeReached, asker, &step)
      }
      group.addPending(memberID)
      pendingMemberCount += 1
      setSession(of: memberID, in: group, timeoutMs: request.sessionTimeoutMs, step)
      let response = JoinGroupResponse(errorCode: .memberIdRequired, memberId: memberID.text)
      step.answer(asker.token, .joinGroup(response))
    } else {
      add(joiner.renamed(memberID), request, to: group, &step)
    }
  }

  /// A client comes back with the id it was given. Only dynamic members are given one beforehand.
  private func joinAsPendingMember(
    _ joiner: GroupMember, _ request: JoinGroupRequest, to group: ClassicGroup, _ asker: Asker, _ step: inout Step
  ) {
    guard !joiner.isStatic else { return refuse(request, .unknownMemberId, asker, &step) }
    removePending(joiner.id, from: group)
    add(joiner, request, to: group, &step)
  }

  private func add(
    _ joiner: GroupMember, _ request: JoinGroupRequest, to group: ClassicGroup, _ step: inout Step
  ) {
    var member = joiner
    member.isNew = true
    if group.state == .preparingRebalance, group.previousState == .empty { group.newMemberAdded = true }
    if group.members.isEmpty { group.adopt(protocolType: request.protocolType) }
    group.add(member)
    // A new member does not know its id and cannot send heartbeats; its client may be gone. So its wait has an end.
    setSession(of: member.id, in: group, timeoutMs: config.newMemberJoinTimeoutMs, step)
    rebalanceOrCompleteJoin(group, &step)
  }

  /// A member joins again: to take part in a rebalance, to start one, or because it missed the last answer.
  private func rejoin(
    _ joiner: GroupMember, _ request: JoinGroupRequest, in group: ClassicGroup, _ asker: Asker, _ step: inout Step
  ) {
    let isUnchanged = group.members[joiner.id]?.protocols == joiner.protocols
    switch group.state {
    case .empty:
      refuse(request, .unknownMemberId, asker, &step)
    case .completingRebalance where isUnchanged, .stable where isUnchanged && group.leader != joiner.id:
      let response = group.joinResponse(for: joiner.id)
      let failure = GroupRequest.joinGroup(request).failed(version: asker.version)
      step.answer(asker.token, .joinGroup(response), onFailure: failure)
    case .preparingRebalance, .completingRebalance, .stable:
      // A leader that joins a stable group asks for a rebalance: it may know of changes that its metadata do not show.
      if let earlier = group.rejoin(joiner.id, as: joiner) {
        answerJoin(earlier, joiner.id, .rebalanceInProgress, &step)
      }
      rebalanceOrCompleteJoin(group, &step)
    }
  }
}

extension GroupMember {
  /// The member that a JoinGroup describes, with that request parked.
  init(_ request: JoinGroupRequest, _ memberID: MemberID, _ client: GroupClient, _ asker: Asker) {
    var names: Set<String> = []
    let distinct = request.protocols.filter { names.insert($0.name).inserted }
    self.init(
      id: memberID, instanceID: request.groupInstanceId.map(InstanceID.init), clientID: client.clientID,
      clientHost: client.clientHost,
      // Version 0 has one timeout for both.
      rebalanceTimeoutMs: asker.version == 0 ? request.sessionTimeoutMs : request.rebalanceTimeoutMs,
      sessionTimeoutMs: request.sessionTimeoutMs,
      protocols: distinct.map { SupportedProtocol(name: $0.name, metadata: $0.metadata) }, parkedJoin: asker)
  }

  func renamed(_ memberID: MemberID) -> GroupMember {
    GroupMember(
      id: memberID, instanceID: instanceID, clientID: clientID, clientHost: clientHost,
      rebalanceTimeoutMs: rebalanceTimeoutMs, sessionTimeoutMs: sessionTimeoutMs, protocols: protocols,
      parkedJoin: parkedJoin)
  }
}

extension ClassicGroup {
  /// What a member of the present generation is told; the leader, of all members and what they said.
  func joinResponse(for memberID: MemberID) -> JoinGroupResponse {
    JoinGroupResponse(
      generationId: generation.value, protocolType: protocolType, protocolName: protocolName,
      leader: leader?.text ?? "", memberId: memberID.text,
      members: memberID == leader ? membersForLeader : [])
  }

  private var membersForLeader: [JoinGroupResponse.JoinGroupResponseMember] {
    membersInOrder.map {
      JoinGroupResponse.JoinGroupResponseMember(
        memberId: $0.id.text, groupInstanceId: $0.instanceID?.text, metadata: $0.metadata(for: protocolName))
    }
  }
}
