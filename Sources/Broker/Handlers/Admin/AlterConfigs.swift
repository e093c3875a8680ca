internal import Cluster
internal import KafkaProtocol
internal import Primitives

/// AlterConfigs and IncrementalAlterConfigs (KIP-133, KIP-339): decided by the controller.
extension Shard {
  func alterConfigs(_ request: AlterConfigsRequest, _ context: RequestContext) {
    command(.alterConfigs(request)) { [unowned self] result in
      switch result {
      case .success(.alterConfigs(let response)): reply(context.replyTo, .alterConfigs(response))
      case .success(let other): preconditionFailure("AlterConfigs was answered with \(other)")
      case .failure(let error):
        let responses = request.resources.map {
          AlterConfigsResponse.AlterConfigsResourceResponse(
            errorCode: error.code, errorMessage: error.message, resourceType: $0.resourceType,
            resourceName: $0.resourceName)
        }
        reply(context.replyTo, .alterConfigs(AlterConfigsResponse(responses: responses)))
      }
    }
  }

  func incrementalAlterConfigs(_ request: IncrementalAlterConfigsRequest, _ context: RequestContext) {
    command(.incrementalAlterConfigs(request)) { [unowned self] result in
      switch result {
      case .success(.incrementalAlterConfigs(let response)):
        reply(context.replyTo, .incrementalAlterConfigs(response))
      case .success(let other): preconditionFailure("IncrementalAlterConfigs was answered with \(other)")
      case .failure(let error):
        let responses = request.resources.map {
          IncrementalAlterConfigsResponse.AlterConfigsResourceResponse(
            errorCode: error.code, errorMessage: error.message, resourceType: $0.resourceType,
            resourceName: $0.resourceName)
        }
        reply(context.replyTo, .incrementalAlterConfigs(IncrementalAlterConfigsResponse(responses: responses)))
      }
    }
  }
}
