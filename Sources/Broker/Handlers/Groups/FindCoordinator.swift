internal import Cluster
internal import Groups
internal import KafkaProtocol
internal import Primitives

/// FindCoordinator: which broker coordinates a group. The first question makes the offsets topic.
extension Shard {
  private static let groupKey: Int8 = 0
  private static let transactionKey: Int8 = 1

  func findCoordinator(_ request: FindCoordinatorRequest, _ context: RequestContext) {
    if request.keyType != Self.groupKey {
      let message =
        request.keyType == Self.transactionKey
        ? "transactions are not served by this broker yet" : "coordinators of type \(request.keyType) are not served"
      return answer(request, context) { _ in .failure(KafkaError(.invalidRequest, message)) }
    }
    withOffsetsTopic { [unowned self] topic in
      answer(request, context) { group in
        guard let topic else { return .failure(KafkaError(.coordinatorNotAvailable)) }
        let partition = GroupCoordinator.partition(for: group, partitionCount: Int32(topic.partitions.count))
        let leader = topic.partitions[Int(partition)].leader
        guard let broker = image.brokers[leader] else { return .failure(KafkaError(.coordinatorNotAvailable)) }
        return .success(broker)
      }
    }
  }

  private func answer(
    _ request: FindCoordinatorRequest, _ context: RequestContext,
    _ coordinator: (String) -> Result<BrokerRegistration, KafkaError>
  ) {
    let keys = context.version >= 4 ? request.coordinatorKeys : [request.key]
    let found = keys.map { key -> FindCoordinatorResponse.Coordinator in
      switch coordinator(key) {
      case .success(let broker):
        let endpoint = endpoint(of: broker, for: context.client)
        return .init(key: key, nodeId: broker.id.value, host: endpoint.host, port: endpoint.port)
      case .failure(let error):
        return .init(key: key, nodeId: -1, host: "", port: -1, errorCode: error.code, errorMessage: error.message)
      }
    }
    guard context.version < 4, let one = found.first else {
      return reply(context.replyTo, .findCoordinator(FindCoordinatorResponse(coordinators: found)))
    }
    reply(
      context.replyTo,
      .findCoordinator(
        FindCoordinatorResponse(
          errorCode: one.errorCode, errorMessage: one.errorMessage, nodeId: one.nodeId, host: one.host,
          port: one.port)))
  }

  /// Calls `body` with the offsets topic, made first if need be; with nil when it cannot be made now.
  func withOffsetsTopic(_ body: @escaping (TopicImage?) -> Void) {
    if let topic = image.topic(named: TopicName.consumerOffsets) { return body(topic) }
    command(.createInternalTopic(.consumerOffsets(config))) { [unowned self] _ in
      body(image.topic(named: TopicName.consumerOffsets))
    }
  }
}
