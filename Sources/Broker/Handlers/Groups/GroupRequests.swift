internal import Cluster
internal import Groups
internal import KafkaProtocol
internal import Primitives

/// Requests about groups find the shard and the coordinator that hold the group.
extension Shard {
  func groupRequest(_ request: Request, _ context: RequestContext) {
    // Looking at the groups does not make the topic that they would be in.
    if case .listGroups(let request) = request { return listGroups(request, context) }
    withOffsetsTopic { [unowned self] topic in
      guard let topic else {
        return refuse(request, context, .coordinatorNotAvailable)
      }
      route(request, context, partitionCount: Int32(topic.partitions.count))
    }
  }

  private func route(_ request: Request, _ context: RequestContext, partitionCount: Int32) {
    func one(_ group: String) {
      route(request, context, GroupCoordinator.partition(for: group, partitionCount: partitionCount))
    }
    switch request {
    case .joinGroup(let body): one(body.groupId)
    case .syncGroup(let body): one(body.groupId)
    case .heartbeat(let body): one(body.groupId)
    case .leaveGroup(let body): one(body.groupId)
    case .offsetCommit(let body): one(body.groupId)
    case .offsetDelete(let body): one(body.groupId)
    case .offsetFetch(let body) where context.version < 8: one(body.groupId)
    case .offsetFetch(let body) where body.groups.count == 1: one(body.groups[0].groupId)
    case .describeGroups(let body) where body.groups.count == 1: one(body.groups[0])
    case .deleteGroups(let body) where body.groupsNames.count == 1: one(body.groupsNames[0])
    case .offsetFetch(let body): split(body, context)
    case .describeGroups(let body): split(body, context)
    case .deleteGroups(let body): split(body, context)
    default: preconditionFailure("\(context.apiKey.name) is no group request")
    }
  }

  /// To the coordinator of one offsets partition.
  private func route(_ request: Request, _ context: RequestContext, _ partition: Int32) {
    switch topicsByName[TopicName.consumerOffsets]?.place(partition) {
    case .here(let hosted):
      guard let host = groupHosts[partition] else {
        let isLoading = groupLoads[partition] != nil
        return refuse(request, context, isLoading ? .coordinatorLoadInProgress : .coordinatorNotAvailable)
      }
      guard case .offsetFetch = request else { return coordinate(request, context, host) }
      // Offsets that another coordinator has gone past since would make a group read again what it is done with.
      whenStillLeading(hosted) { [unowned self] leads in
        guard leads, let host = groupHosts[partition] else { return refuse(request, context, .notCoordinator) }
        coordinate(request, context, host)
      }
    case .shard(let shard):
      // A request that came from another shard is never sent on: the two images differ for a moment.
      if case .shard = context.replyTo { return refuse(request, context, .notCoordinator) }
      forward(request, context, to: shard)
    case .opening: refuse(request, context, .coordinatorLoadInProgress)
    case .offline: refuse(request, context, .coordinatorNotAvailable)
    case .elsewhere, nil: refuse(request, context, .notCoordinator)
    }
  }

  private func coordinate(_ request: Request, _ context: RequestContext, _ host: GroupHost) {
    guard let groupRequest = GroupRequest(request) else { return }
    let token = makeToken()
    waitingReplies[token] = context.replyTo
    let client = GroupClient(clientID: context.client.clientID, clientHost: "/" + context.client.address.host)
    carryOut(
      .request(
        groupRequest, version: context.version, from: client, token: token, topics: ImageTopics(image: image)),
      host)
  }

  private func refuse(_ request: Request, _ context: RequestContext, _ code: ErrorCode) {
    guard let request = GroupRequest(request) else { return }
    reply(context.replyTo, request.refused(with: code, version: context.version))
  }

  // MARK: requests that name many groups

  /// Each group once, however often it is named: an answer may be a thousand times the size of its question.
  private static func once<Element>(_ elements: [Element], _ group: (Element) -> String) -> [Element] {
    var seen: Set<String> = []
    return elements.filter { seen.insert(group($0)).inserted }
  }

  private func split(_ request: DescribeGroupsRequest, _ context: RequestContext) {
    var request = request
    request.groups = Self.once(request.groups) { $0 }
    guard !request.groups.isEmpty else { return reply(context.replyTo, .describeGroups(DescribeGroupsResponse())) }
    let token = gather(request.groups.count) { [unowned self] responses in
      let groups = responses.flatMap { response -> [DescribeGroupsResponse.DescribedGroup] in
        if case .describeGroups(let part) = response { part.groups } else { [] }
      }
      reply(context.replyTo, .describeGroups(DescribeGroupsResponse(groups: groups)))
    }
    for (index, group) in request.groups.enumerated() {
      var part = request
      part.groups = [group]
      groupRequest(.describeGroups(part), context.replying(to: .part(token, index: index)))
    }
  }

  private func split(_ request: DeleteGroupsRequest, _ context: RequestContext) {
    var request = request
    request.groupsNames = Self.once(request.groupsNames) { $0 }
    guard !request.groupsNames.isEmpty else { return reply(context.replyTo, .deleteGroups(DeleteGroupsResponse())) }
    let token = gather(request.groupsNames.count) { [unowned self] responses in
      let results = responses.flatMap { response -> [DeleteGroupsResponse.DeletableGroupResult] in
        if case .deleteGroups(let part) = response { part.results } else { [] }
      }
      reply(context.replyTo, .deleteGroups(DeleteGroupsResponse(results: results)))
    }
    for (index, group) in request.groupsNames.enumerated() {
      groupRequest(
        .deleteGroups(DeleteGroupsRequest(groupsNames: [group])), context.replying(to: .part(token, index: index)))
    }
  }

  private func split(_ request: OffsetFetchRequest, _ context: RequestContext) {
    var request = request
    request.groups = Self.once(request.groups) { $0.groupId }
    guard !request.groups.isEmpty else { return reply(context.replyTo, .offsetFetch(OffsetFetchResponse())) }
    let token = gather(request.groups.count) { [unowned self] responses in
      let groups = responses.flatMap { response -> [OffsetFetchResponse.OffsetFetchResponseGroup] in
        if case .offsetFetch(let part) = response { part.groups } else { [] }
      }
      reply(context.replyTo, .offsetFetch(OffsetFetchResponse(groups: groups)))
    }
    for (index, group) in request.groups.enumerated() {
      var part = request
      part.groups = [group]
      groupRequest(.offsetFetch(part), context.replying(to: .part(token, index: index)))
    }
  }

  /// Every coordinator of every shard has a part in the list.
  private func listGroups(_ request: ListGroupsRequest, _ context: RequestContext) {
    let isForwarded = if case .shard = context.replyTo { true } else { false }
    let here = groupHosts.keys.sorted()
    let others = isForwarded ? [] : (0..<count).filter { $0 != index }
    let loading = groupLoads.isEmpty ? ErrorCode.none : .coordinatorLoadInProgress
    guard !here.isEmpty || !others.isEmpty else {
      return reply(context.replyTo, .listGroups(ListGroupsResponse(errorCode: loading)))
    }
    let token = gather(here.count + others.count) { [unowned self] responses in
      var merged = ListGroupsResponse(errorCode: loading)
      for case .listGroups(let part) in responses {
        merged.groups += part.groups
        if part.errorCode != .none { merged.errorCode = part.errorCode }
      }
      merged.groups.sort { $0.groupId < $1.groupId }
      reply(context.replyTo, .listGroups(merged))
    }
    for (part, partition) in here.enumerated() {
      guard let host = groupHosts[partition] else { continue }
      coordinate(.listGroups(request), context.replying(to: .part(token, index: part)), host)
    }
    for (part, shard) in others.enumerated() {
      forward(.listGroups(request), context.replying(to: .part(token, index: here.count + part)), to: shard)
    }
  }
}

extension GroupRequest {
  /// The same request as the coordinators know it; nil for one that is not theirs.
  init?(_ request: Request) {
    switch request {
    case .joinGroup(let body): self = .joinGroup(body)
    case .syncGroup(let body): self = .syncGroup(body)
    case .heartbeat(let body): self = .heartbeat(body)
    case .leaveGroup(let body): self = .leaveGroup(body)
    case .offsetCommit(let body): self = .offsetCommit(body)
    case .offsetFetch(let body): self = .offsetFetch(body)
    case .offsetDelete(let body): self = .offsetDelete(body)
    case .describeGroups(let body): self = .describeGroups(body)
    case .listGroups(let body): self = .listGroups(body)
    case .deleteGroups(let body): self = .deleteGroups(body)
    default: return nil
    }
  }
}
