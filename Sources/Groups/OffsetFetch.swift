internal import KafkaProtocol
internal import Primitives

/// OffsetFetch: where a group has got to. Asks nothing of who asks.
extension GroupCoordinator {
  func fetchOffsets(_ request: OffsetFetchRequest, _ asker: Asker, _ topics: some TopicLookup, _ step: inout Step) {
    var response = OffsetFetchResponse()
    if asker.version >= 8 {
      response.groups = request.groups.map { group in
        .init(groupId: group.groupId, topics: offsets(of: group, asker, topics))
      }
    } else {
      response.topics = offsets(of: request)
    }
    let failure = GroupRequest.offsetFetch(request).failed(version: asker.version)
    step.answer(asker.token, .offsetFetch(response), onFailure: failure)
  }

  private func offsets(of request: OffsetFetchRequest) -> [OffsetFetchResponse.OffsetFetchResponseTopic] {
    let group = GroupID(request.groupId)
    guard let wanted = request.topics else {
      return offsets.topics(of: group).map { name, partitions in
        .init(name: name, partitions: partitions.map { answer($0.index, $0.offset) })
      }
    }
    return wanted.map { topic in
      .init(
        name: topic.name,
        partitions: topic.partitionIndexes.map { answer($0, offsets[group, topic.name, $0]) })
    }
  }

  private func offsets(
    of request: OffsetFetchRequest.OffsetFetchRequestGroup, _ asker: Asker, _ topics: some TopicLookup
  ) -> [OffsetFetchResponse.OffsetFetchResponseTopics] {
    let group = GroupID(request.groupId)
    let usesIDs = asker.version >= 10
    guard let wanted = request.topics else {
      return offsets.topics(of: group).compactMap { name, partitions in
        // A deleted topic has no id to be named by.
        guard let id = usesIDs ? topics.topicID(name) : .zero else { return nil }
        return .init(name: name, topicId: id, partitions: partitions.map { answer($0.index, $0.offset) })
      }
    }
    return wanted.map { topic in
      let name = usesIDs ? topics.topicName(topic.topicId) : topic.name
      return .init(
        name: name ?? "", topicId: topic.topicId,
        partitions: topic.partitionIndexes.map { index in
          guard let name else { return answer(index, nil, .unknownTopicId) }
          return answer(index, offsets[group, name, index])
        })
    }
  }

  private func answer(
    _ index: Int32, _ offset: CommittedOffset?
  ) -> OffsetFetchResponse.OffsetFetchResponsePartition {
    .init(
      partitionIndex: index, committedOffset: offset?.offset.value ?? -1,
      committedLeaderEpoch: offset?.leaderEpoch.value ?? -1, metadata: offset?.metadata ?? "")
  }

  private func answer(
    _ index: Int32, _ offset: CommittedOffset?, _ code: ErrorCode = .none
  ) -> OffsetFetchResponse.OffsetFetchResponsePartitions {
    .init(
      partitionIndex: index, committedOffset: offset?.offset.value ?? -1,
      committedLeaderEpoch: offset?.leaderEpoch.value ?? -1, metadata: offset?.metadata ?? "", errorCode: code)
  }
}
