internal import KafkaProtocol
internal import Primitives

/// OffsetDelete (KIP-496), and the offsets of deleted topics.
extension GroupCoordinator {
  func deleteOffsets(_ request: OffsetDeleteRequest, _ asker: Asker, _ topics: some TopicLookup, _ step: inout Step) {
    let body = GroupRequest.offsetDelete(request)
    let groupID = GroupID(request.groupId)
    guard Self.isValid(request.groupId) else {
      return step.answer(asker.token, body.refused(with: .invalidGroupId, version: asker.version))
    }
    guard let group = groups[groupID] else {
      return step.answer(asker.token, body.refused(with: .groupIdNotFound, version: asker.version))
    }
    // Of members that are no consumers it is not known what they read.
    guard group.state == .empty || group.isConsumerGroup else {
      return step.answer(asker.token, body.refused(with: .nonEmptyGroup, version: asker.version))
    }
    var response = OffsetDeleteResponse()
    for topic in request.topics {
      let code = deletionCode(topic.name, group, topics)
      var result = OffsetDeleteResponse.OffsetDeleteResponseTopic(name: topic.name)
      for partition in topic.partitions {
        let index = partition.partitionIndex
        if code == .none, offsets[groupID, topic.name, index] != nil {
          step.append(.commitTombstone(group: groupID, topic: topic.name, partition: index))
        }
        result.partitions.append(.init(partitionIndex: index, errorCode: code))
      }
      response.topics.append(result)
    }
    step.answer(asker.token, .offsetDelete(response), onFailure: body.failed(version: asker.version))
  }

  private func deletionCode(_ topic: String, _ group: ClassicGroup, _ topics: some TopicLookup) -> ErrorCode {
    guard topics.topicExists(topic) else { return .unknownTopicOrPartition }
    return group.isSubscribed(to: topic) ? .groupSubscribedToTopic : .none
  }

  /// The offsets of topics that are no more: called when the cluster image no longer has them.
  package func topicsDeleted(_ names: [String]) -> GroupEffects {
    var effects = GroupEffects()
    for topic in names {
      for group in offsets.groups(with: topic) {
        for partition in offsets.partitions(of: group, in: topic) {
          effects.records.append(.commitTombstone(group: group, topic: topic, partition: partition))
        }
      }
    }
    return effects
  }
}
