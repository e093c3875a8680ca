internal import KafkaProtocol
internal import Primitives

/// DescribeGroups, ListGroups and DeleteGroups: what operators ask.
extension GroupCoordinator {
  func describe(_ request: DescribeGroupsRequest, _ asker: Asker, _ step: inout Step) {
    let described = request.groups.map { name in
      groups[GroupID(name)].map(\.described) ?? Self.unknownGroup(name, version: asker.version)
    }
    let failure = GroupRequest.describeGroups(request).failed(version: asker.version)
    step.answer(asker.token, .describeGroups(DescribeGroupsResponse(groups: described)), onFailure: failure)
  }

  /// A group that is not there is dead; from version 6 on that is an error too (KIP-1043).
  private static func unknownGroup(_ name: String, version: Int16) -> DescribeGroupsResponse.DescribedGroup {
    guard version >= 6 else { return .init(groupId: name, groupState: "Dead") }
    return .init(
      errorCode: .groupIdNotFound, errorMessage: "Group \(name) not found.", groupId: name, groupState: "Dead")
  }

  func list(_ request: ListGroupsRequest, _ asker: Asker, _ step: inout Step) {
    let states = Set(request.statesFilter.map { $0.lowercased() })
    let types = Set(request.typesFilter.map { $0.lowercased() })
    let listed =
      groupsInOrder
      .filter { states.isEmpty || states.contains($0.state.rawValue.lowercased()) }
      .filter { _ in types.isEmpty || types.contains(ClassicGroup.typeName) }
      .map {
        ListGroupsResponse.ListedGroup(
          groupId: $0.id.text, protocolType: $0.protocolType ?? "", groupState: $0.state.rawValue,
          groupType: ClassicGroup.typeName)
      }
    let failure = GroupRequest.listGroups(request).failed(version: asker.version)
    step.answer(asker.token, .listGroups(ListGroupsResponse(groups: listed)), onFailure: failure)
  }

  func delete(_ request: DeleteGroupsRequest, _ asker: Asker, _ step: inout Step) {
    var response = DeleteGroupsResponse()
    for name in request.groupsNames {
      var code = ErrorCode.none
      if let group = groups[GroupID(name)] {
        if group.state == .empty { appendTombstones(of: group, &step) } else { code = .nonEmptyGroup }
      } else {
        code = .groupIdNotFound
      }
      response.results.append(.init(groupId: name, errorCode: code))
    }
    let failure = GroupRequest.deleteGroups(request).failed(version: asker.version)
    step.answer(asker.token, .deleteGroups(response), onFailure: failure)
  }

  private func appendTombstones(of group: ClassicGroup, _ step: inout Step) {
    for (topic, partitions) in offsets.topics(of: group.id) {
      for (partition, _) in partitions {
        step.append(.commitTombstone(group: group.id, topic: topic, partition: partition))
      }
    }
    step.append(.groupTombstone(group.id))
  }
}

extension ClassicGroup {
  /// The name of groups of this kind since there are others (KIP-848).
  static let typeName = "classic"

  fileprivate var described: DescribeGroupsResponse.DescribedGroup {
    let isStable = state == .stable
    return DescribeGroupsResponse.DescribedGroup(
      groupId: id.text, groupState: state.rawValue, protocolType: protocolType ?? "",
      protocolData: isStable ? protocolName ?? "" : "",
      members: membersInOrder.map { member in
        .init(
          memberId: member.id.text, groupInstanceId: member.instanceID?.text, clientId: member.clientID,
          clientHost: member.clientHost, memberMetadata: isStable ? member.metadata(for: protocolName) : [],
          memberAssignment: member.assignment)
      })
  }
}
