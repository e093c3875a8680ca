internal import KafkaProtocol
internal import Primitives

/// ListConfigResources version 0: the client-metrics resources (KIP-1000), of which this broker has none.
extension Shard {
  func listConfigResources(_ request: ListConfigResourcesRequest, _ context: RequestContext) {
    reply(context.replyTo, .listConfigResources(ListConfigResourcesResponse()))
  }
}
