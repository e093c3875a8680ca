internal import Cluster
internal import KafkaProtocol
internal import Primitives

/// DescribeCluster: the brokers and the controller (KIP-700).
extension Shard {
  func describeCluster(_ request: DescribeClusterRequest, _ context: RequestContext) {
    if context.version >= 1, request.endpointType != 1 {
      let code: ErrorCode = request.endpointType == 2 ? .mismatchedEndpointType : .unsupportedEndpointType
      let message = "this listener serves brokers (endpoint type 1), not type \(request.endpointType)"
      return reply(
        context.replyTo,
        .describeCluster(DescribeClusterResponse(errorCode: code, errorMessage: message, clusterId: image.clusterID)))
    }
    let response = DescribeClusterResponse(
      clusterId: image.clusterID, controllerId: image.controllerID.value,
      brokers: image.sortedBrokers.filter { !$0.isFenced || request.includeFencedBrokers }.map { broker in
        let endpoint = endpoint(of: broker, for: context.client)
        return .init(
          brokerId: broker.id.value, host: endpoint.host, port: endpoint.port, rack: broker.rack,
          isFenced: broker.isFenced)
      },
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? Self.clusterOperations : .min)
    reply(context.replyTo, .describeCluster(response))
  }
}
