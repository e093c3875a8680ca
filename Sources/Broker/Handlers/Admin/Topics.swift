internal import Cluster
internal import KafkaProtocol
internal import Primitives

/// CreateTopics, DeleteTopics, CreatePartitions: decided by the controller, answered when every shard knows the outcome.
extension Shard {
  func createTopics(_ request: CreateTopicsRequest, _ context: RequestContext) {
    command(.createTopics(request)) { [unowned self] result in
      switch result {
      case .success(.createTopics(let response)): reply(context.replyTo, .createTopics(response))
      case .success(let other): preconditionFailure("CreateTopics was answered with \(other)")
      case .failure(let error):
        let topics = request.topics.map {
          CreateTopicsResponse.CreatableTopicResult(name: $0.name, errorCode: error.code, errorMessage: error.message)
        }
        reply(context.replyTo, .createTopics(CreateTopicsResponse(topics: topics)))
      }
    }
  }

  func deleteTopics(_ request: DeleteTopicsRequest, _ context: RequestContext) {
    command(.deleteTopics(request)) { [unowned self] result in
      switch result {
      case .success(.deleteTopics(var response)):
        // TOPIC_DELETION_DISABLED came with version 3.
        for index in response.responses.indices
        where context.version < 3 && response.responses[index].errorCode == .topicDeletionDisabled {
          response.responses[index].errorCode = .invalidRequest
        }
        reply(context.replyTo, .deleteTopics(response))
      case .success(let other): preconditionFailure("DeleteTopics was answered with \(other)")
      case .failure(let error):
        reply(context.replyTo, .deleteTopics(request.refused(error)))
      }
    }
  }

  func createPartitions(_ request: CreatePartitionsRequest, _ context: RequestContext) {
    command(.createPartitions(request)) { [unowned self] result in
      switch result {
      case .success(.createPartitions(let response)): reply(context.replyTo, .createPartitions(response))
      case .success(let other): preconditionFailure("CreatePartitions was answered with \(other)")
      case .failure(let error):
        let results = request.topics.map {
          CreatePartitionsResponse.CreatePartitionsTopicResult(
            name: $0.name, errorCode: error.code, errorMessage: error.message)
        }
        reply(context.replyTo, .createPartitions(CreatePartitionsResponse(results: results)))
      }
    }
  }
}
