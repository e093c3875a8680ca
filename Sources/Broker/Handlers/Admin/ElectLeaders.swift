internal import Cluster
internal import KafkaProtocol
internal import Primitives

/// ElectLeaders: gives partitions to their preferred replicas, or to any that lives (KIP-183, KIP-460). Decided by the
/// controller.
extension Shard {
  func electLeaders(_ request: ElectLeadersRequest, _ context: RequestContext) {
    command(.electLeaders(request)) { [unowned self] result in
      switch result {
      case .success(.electLeaders(let response)): reply(context.replyTo, .electLeaders(response))
      case .success(let other): preconditionFailure("ElectLeaders was answered with \(other)")
      case .failure(let error):
        reply(context.replyTo, .electLeaders(Self.refused(request, context.version, error)))
      }
    }
  }

  /// Version 0 has no error of its own for the whole.
  private static func refused(
    _ request: ElectLeadersRequest, _ version: Int16, _ error: KafkaError
  ) -> ElectLeadersResponse {
    var response = ElectLeadersResponse(errorCode: error.code)
    guard version == 0 else { return response }
    response.replicaElectionResults = (request.topicPartitions ?? []).map { topic in
      .init(
        topic: topic.topic,
        partitionResult: topic.partitions.map {
          .init(partitionId: $0, errorCode: error.code, errorMessage: error.message)
        })
    }
    return response
  }
}
