internal import KafkaProtocol
internal import Primitives

extension DeleteTopicsRequest {
  /// The same with the names that versions up to 5 send as states of version 6, which is how brokers ask each other.
  var inStates: DeleteTopicsRequest {
    let named = topicNames.map { DeleteTopicState(name: $0, topicId: .zero) }
    return DeleteTopicsRequest(topics: named + topics, timeoutMs: timeoutMs)
  }

  /// The answer where nothing could be decided: the same error for every topic, by name or id as it was asked for.
  func refused(_ error: KafkaError) -> DeleteTopicsResponse {
    let results = inStates.topics.map {
      DeleteTopicsResponse.DeletableTopicResult(
        name: $0.name ?? "", topicId: $0.topicId, errorCode: error.code, errorMessage: error.message)
    }
    return DeleteTopicsResponse(responses: results)
  }
}
