internal import Cluster
internal import KafkaProtocol
internal import Primitives

/// UnregisterBroker: the cluster forgets a broker that is gone for good.
extension Shard {
  func unregisterBroker(_ request: UnregisterBrokerRequest, _ context: RequestContext) {
    command(.unregisterBroker(BrokerID(request.brokerId))) { [unowned self] result in
      let error: KafkaError? = if case .failure(let error) = result { error } else { nil }
      let response = UnregisterBrokerResponse(errorCode: error?.code ?? .none, errorMessage: error?.message)
      reply(context.replyTo, .unregisterBroker(response))
    }
  }
}
