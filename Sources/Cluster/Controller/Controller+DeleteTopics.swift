internal import Configuration
internal import KafkaProtocol
internal import Primitives

extension Controller {
  func deleteTopics(_ request: DeleteTopicsRequest) -> Decision<MetadataRecord, ControllerReply> {
    // Versions up to 5 send names, later ones names or ids.
    var wanted = request.topicNames.map { DeleteTopicsRequest.DeleteTopicState(name: $0, topicId: .zero) }
    wanted += request.topics
    let repeatedNames = repeatedMembers(of: wanted.lazy.compactMap(\.name))
    let repeatedIDs = repeatedMembers(of: wanted.lazy.map(\.topicId).filter { !$0.isZero })
    let isEnabled = effectiveConfig.deleteTopicEnable
    var plan = Plan(image)
    var answered = Set<DeletionTarget>()
    var response = DeleteTopicsResponse()
    for state in wanted where answered.insert(DeletionTarget(state)).inserted {
      var result = DeleteTopicsResponse.DeletableTopicResult(name: state.name, topicId: state.topicId)
      do throws(KafkaError) {
        if let name = state.name, repeatedNames.contains(name), state.topicId.isZero {
          throw KafkaError(.invalidRequest, "Duplicate topic name.")
        }
        if repeatedIDs.contains(state.topicId), state.name == nil {
          throw KafkaError(.invalidRequest, "Duplicate topic id.")
        }
        if !isEnabled {
          throw KafkaError(.topicDeletionDisabled, "Topics cannot be deleted: delete.topic.enable is false.")
        }
        let topic = try topicToDelete(state, in: plan.image)
        plan.add(.removeTopic(RemoveTopicRecord(topicId: topic.id)))
        result.name = topic.name
        result.topicId = topic.id
      } catch {
        result.errorCode = error.code
        result.errorMessage = error.message
      }
      response.responses.append(result)
    }
    return plan.decision(.deleteTopics(response))
  }

  /// - Throws: INVALID_REQUEST, UNKNOWN_TOPIC_OR_PARTITION or UNKNOWN_TOPIC_ID.
  private func topicToDelete(
    _ state: DeleteTopicsRequest.DeleteTopicState, in image: ClusterImage
  ) throws(KafkaError) -> TopicImage {
    switch (state.name, state.topicId.isZero) {
    case (nil, true): throw KafkaError(.invalidRequest, "Neither topic name nor id were specified.")
    case (.some, false): throw KafkaError(.invalidRequest, "You may not specify both topic name and topic id.")
    case (.some(let name), true):
      if let topic = image.topic(named: name) { return topic }
      if self.image.topic(named: name) != nil {
        throw KafkaError(.invalidRequest, "The topic of that name was already given by its id.")
      }
      throw KafkaError(.unknownTopicOrPartition, "Topic '\(excerpt(of: name))' does not exist.")
    case (nil, false):
      if let topic = image.topic(id: state.topicId) { return topic }
      if self.image.topic(id: state.topicId) != nil {
        throw KafkaError(.invalidRequest, "The topic of that id was already given by its name.")
      }
      throw KafkaError(.unknownTopicId, "No topic has the id \(state.topicId).")
    }
  }
}

/// What one entry of a deletion names: repeated entries are answered once.
private struct DeletionTarget: Hashable {
  let name: String?
  let id: UUID
  init(_ state: DeleteTopicsRequest.DeleteTopicState) {
    name = state.name
    id = state.topicId
  }
}
