internal import Cluster
internal import Configuration
internal import KafkaProtocol
internal import Primitives

/// DescribeConfigs: every property with its value, where that comes from, and what it is for (KIP-133, KIP-226, KIP-569).
extension Shard {
  func describeConfigs(_ request: DescribeConfigsRequest, _ context: RequestContext) {
    // Each resource once, however often it is named: the answer is a thousand times the size of the question.
    var seen: Set<ConfigKey> = []
    let resources = request.resources.filter {
      seen.insert(ConfigKey(type: $0.resourceType, name: $0.resourceName)).inserted
    }
    let results = resources.map { resource -> DescribeConfigsResponse.DescribeConfigsResult in
      var result = DescribeConfigsResponse.DescribeConfigsResult(
        resourceType: resource.resourceType, resourceName: resource.resourceName)
      do throws(KafkaError) {
        let wanted = resource.configurationKeys.map { Set($0) }
        result.configs = try descriptions(of: resource)
          .filter { wanted?.contains($0.name) ?? true }
          .map { Self.wire($0, request) }
      } catch {
        result.errorCode = error.code
        result.errorMessage = error.message
      }
      return result
    }
    reply(context.replyTo, .describeConfigs(DescribeConfigsResponse(results: results)))
  }

  private struct ConfigKey: Hashable {
    let type: Int8
    let name: String
  }

  private func descriptions(
    of resource: DescribeConfigsRequest.DescribeConfigsResource
  ) throws(KafkaError) -> [ConfigDescription] {
    let name = resource.resourceName
    switch ConfigResourceType(rawValue: resource.resourceType) {
    case .topic:
      try TopicName.validate(name)
      guard let topic = image.topic(named: name) else {
        throw KafkaError(.unknownTopicOrPartition, "there is no topic \(name)")
      }
      return config.describe(topicOverrides: topic.configs)
    case .broker:
      if name.isEmpty { return config.describeDynamicDefaults() }
      guard name == String(brokerID.value) else {
        throw KafkaError(
          .invalidRequest, "Unexpected broker id, expected \(brokerID.value) or empty string, but received \(name)")
      }
      return config.describe()
    case .brokerLogger, .clientMetrics, .group, nil:
      throw KafkaError(.invalidRequest, "resources of type \(resource.resourceType) have no configs here")
    }
  }

  private static func wire(
    _ description: ConfigDescription, _ request: DescribeConfigsRequest
  ) -> DescribeConfigsResponse.DescribeConfigsResourceResult {
    .init(
      name: description.name, value: description.value, readOnly: description.isReadOnly,
      configSource: description.source.rawValue, isSensitive: description.isSensitive,
      synonyms: request.includeSynonyms
        ? description.synonyms.map { .init(name: $0.name, value: $0.value, source: $0.source.rawValue) } : [],
      configType: description.type.rawValue,
      documentation: request.includeDocumentation ? description.documentation : nil)
  }
}
