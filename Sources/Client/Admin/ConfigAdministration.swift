package import KafkaProtocol
internal import Primitives

/// Whose configuration is meant.
package enum ConfigResource: Hashable, Sendable, CustomStringConvertible {
  case topic(String)
  case broker(Int32)

  fileprivate var wireType: Int8 {
    switch self {
    case .topic: 2
    case .broker: 4
    }
  }

  fileprivate var wireName: String {
    switch self {
    case .topic(let name): name
    case .broker(let id): "\(id)"
    }
  }

  package var description: String {
    switch self {
    case .topic(let name): "topic \(name)"
    case .broker(let id): "broker \(id)"
    }
  }
}

extension AdminClient {
  /// The properties of a topic or broker with their present values, by name.
  package func describeConfigs(
    _ resource: ConfigResource
  ) throws(ClientError) -> [DescribeConfigsResponse.DescribeConfigsResourceResult] {
    let request = DescribeConfigsRequest(
      resources: [
        .init(resourceType: resource.wireType, resourceName: resource.wireName, configurationKeys: nil)
      ], includeDocumentation: true)
    let answer = try connection(for: resource).ask(.describeConfigs, request, as: DescribeConfigsResponse.self)
    guard let result = answer.results.first else {
      throw .incompatible("the broker did not describe \(resource)")
    }
    try check(result.errorCode, result.errorMessage, "\(resource)")
    return result.configs.sorted { $0.name < $1.name }
  }

  /// Sets some properties and sets others back to their defaults (KIP-339).
  package func alterConfigs(
    _ resource: ConfigResource, set: [(name: String, value: String)], delete: [String]
  ) throws(ClientError) {
    let changes: [IncrementalAlterConfigsRequest.AlterableConfig] =
      set.map { .init(name: $0.name, configOperation: 0, value: $0.value) }
      + delete.map { .init(name: $0, configOperation: 1, value: nil) }
    let request = IncrementalAlterConfigsRequest(
      resources: [.init(resourceType: resource.wireType, resourceName: resource.wireName, configs: changes)],
      validateOnly: false)
    let answer = try connection(for: resource).ask(
      .incrementalAlterConfigs, request, as: IncrementalAlterConfigsResponse.self)
    guard let result = answer.responses.first else {
      throw .incompatible("the broker did not say whether it changed \(resource)")
    }
    try check(result.errorCode, result.errorMessage, "\(resource)")
  }

  /// A broker is asked about itself; everything else is the controller's.
  private func connection(for resource: ConfigResource) throws(ClientError) -> AdminConnection {
    guard case .broker(let id) = resource else { return try controller() }
    return try connection(to: id)
  }
}
