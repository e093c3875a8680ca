import Groups
import KafkaProtocol
import Primitives
import Testing

/// What a consumer tells the leader: version 0 of the subscription, with its version in front.
func subscription(_ topics: [String]) -> [UInt8] {
  [0, 0] + ConsumerProtocolSubscription(topics: topics).encoded(version: 0)
}

extension GroupDriver {
  func join(
    _ memberID: String = "", group: String = "g", instance: String? = nil, protocols: [String] = ["range"],
    topics: [String] = ["orders"], type: String = "consumer", sessionMs: Int32 = 10_000, rebalanceMs: Int32 = 60_000,
    version: Int16 = 9
  ) -> RequestToken {
    let request = JoinGroupRequest(
      groupId: group, sessionTimeoutMs: sessionMs, rebalanceTimeoutMs: rebalanceMs, memberId: memberID,
      groupInstanceId: instance, protocolType: type,
      protocols: protocols.map { .init(name: $0, metadata: subscription(topics)) })
    return send(.joinGroup(request), version: version)
  }

  /// A new dynamic member: asks for an id, then joins with it.
  func joinNew(
    group: String = "g", protocols: [String] = ["range"], topics: [String] = ["orders"], sessionMs: Int32 = 10_000,
    rebalanceMs: Int32 = 60_000
  ) -> (id: String, token: RequestToken) {
    let first = join(
      group: group, protocols: protocols, topics: topics, sessionMs: sessionMs, rebalanceMs: rebalanceMs)
    let id = joined(first)?.memberId ?? "none"
    #expect(joined(first)?.errorCode == .memberIdRequired)
    let token = join(
      id, group: group, protocols: protocols, topics: topics, sessionMs: sessionMs, rebalanceMs: rebalanceMs)
    return (id, token)
  }

  func sync(
    _ memberID: String, generation: Int32, group: String = "g", instance: String? = nil,
    assignments: [String: [UInt8]] = [:], protocolName: String? = "range", version: Int16 = 5
  ) -> RequestToken {
    let request = SyncGroupRequest(
      groupId: group, generationId: generation, memberId: memberID, groupInstanceId: instance,
      protocolType: version >= 5 ? "consumer" : nil, protocolName: version >= 5 ? protocolName : nil,
      assignments: assignments.sorted { $0.key < $1.key }.map { .init(memberId: $0.key, assignment: $0.value) })
    return send(.syncGroup(request), version: version)
  }

  func heartbeat(_ memberID: String, generation: Int32, group: String = "g", instance: String? = nil) -> ErrorCode? {
    let request = HeartbeatRequest(
      groupId: group, generationId: generation, memberId: memberID, groupInstanceId: instance)
    guard case .heartbeat(let response)? = ask(.heartbeat(request), version: 4) else { return nil }
    return response.errorCode
  }

  func leave(_ members: [LeaveGroupRequest.MemberIdentity], group: String = "g") -> LeaveGroupResponse? {
    let request = LeaveGroupRequest(groupId: group, members: members)
    guard case .leaveGroup(let response)? = ask(.leaveGroup(request), version: 5) else { return nil }
    return response
  }

  /// The codes of a commit of one partition of each topic.
  func commit(
    _ offset: Int64, member: String = "", generation: Int32 = -1, group: String = "g", instance: String? = nil,
    topics: [String] = ["orders"], metadata: String? = nil, retentionMs: Int64 = -1, version: Int16 = 9
  ) -> [ErrorCode] {
    let request = OffsetCommitRequest(
      groupId: group, generationIdOrMemberEpoch: generation, memberId: member, groupInstanceId: instance,
      retentionTimeMs: retentionMs,
      topics: topics.map {
        .init(
          name: $0, topicId: self.topics.topicID($0) ?? UUID(high: 9, low: 9),
          partitions: [
            .init(partitionIndex: 0, committedOffset: offset, committedLeaderEpoch: 3, committedMetadata: metadata)
          ])
      })
    guard case .offsetCommit(let response)? = ask(.offsetCommit(request), version: version) else { return [] }
    return response.topics.flatMap { $0.partitions.map(\.errorCode) }
  }

  /// The committed offset of partition 0 of a topic; -1 for none.
  func committed(_ topic: String = "orders", group: String = "g") -> Int64? {
    let request = OffsetFetchRequest(groupId: group, topics: [.init(name: topic, partitionIndexes: [0])])
    guard case .offsetFetch(let response)? = ask(.offsetFetch(request), version: 7) else { return nil }
    return response.topics.first?.partitions.first?.committedOffset
  }

  func describe(_ group: String = "g", version: Int16 = 6) -> DescribeGroupsResponse.DescribedGroup {
    let token = send(.describeGroups(DescribeGroupsRequest(groups: [group])), version: version)
    guard case .describeGroups(let response)? = answers[token] else { return .init() }
    return response.groups.first ?? .init()
  }

  func delete(_ group: String) -> ErrorCode? {
    let token = send(.deleteGroups(DeleteGroupsRequest(groupsNames: [group])), version: 2)
    guard case .deleteGroups(let response)? = answers[token] else { return nil }
    return response.results.first?.errorCode
  }

  func joined(_ token: RequestToken) -> JoinGroupResponse? {
    guard case .joinGroup(let response)? = answers[token] else { return nil }
    return response
  }

  func synced(_ token: RequestToken) -> SyncGroupResponse? {
    guard case .syncGroup(let response)? = answers[token] else { return nil }
    return response
  }

  /// A stable group of new dynamic members; each is assigned its own position. The first leads.
  func stableGroup(members count: Int, group: String = "g", topics: [String] = ["orders"]) -> [String] {
    let members = (0..<count).map { _ in joinNew(group: group, topics: topics) }
    advance(ms: Int64(coordinator.config.initialRebalanceDelayMs) * 3)
    let generation = joined(members[0].token)?.generationId ?? -1
    let assignments = Dictionary(uniqueKeysWithValues: members.indices.map { (members[$0].id, [UInt8($0)]) })
    for member in members.dropFirst() { _ = sync(member.id, generation: generation, group: group) }
    let token = sync(members[0].id, generation: generation, group: group, assignments: assignments)
    #expect(synced(token)?.errorCode == ErrorCode.none)
    #expect(describe(group).groupState == "Stable")
    return members.map(\.id)
  }
}
