internal import Cluster
internal import KafkaProtocol
internal import Primitives

/// AlterPartitionReassignments and ListPartitionReassignments: moves replicas between brokers (KIP-455).
extension Shard {
  func alterPartitionReassignments(_ request: AlterPartitionReassignmentsRequest, _ context: RequestContext) {
    command(.alterPartitionReassignments(request)) { [unowned self] result in
      switch result {
      case .success(.alterPartitionReassignments(let response)):
        reply(context.replyTo, .alterPartitionReassignments(response))
      case .success(let other): preconditionFailure("AlterPartitionReassignments was answered with \(other)")
      case .failure(let error):
        let response = AlterPartitionReassignmentsResponse(errorCode: error.code, errorMessage: error.message)
        reply(context.replyTo, .alterPartitionReassignments(response))
      }
    }
  }

  /// Every broker knows what is under way.
  func listPartitionReassignments(_ request: ListPartitionReassignmentsRequest, _ context: RequestContext) {
    reply(context.replyTo, .listPartitionReassignments(image.reassignments(request)))
  }
}
