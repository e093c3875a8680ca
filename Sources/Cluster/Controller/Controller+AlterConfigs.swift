internal import Configuration
internal import KafkaProtocol
internal import Primitives

extension Controller {
  /// Replaces all dynamic configs of each resource.
  func alterConfigs(_ request: AlterConfigsRequest) -> Decision<MetadataRecord, ControllerReply> {
    let repeated = repeatedMembers(of: request.resources.lazy.map { NamedResource($0.resourceType, $0.resourceName) })
    var plan = Plan(image)
    var answered: Set<NamedResource> = []
    var response = AlterConfigsResponse()
    for wanted in request.resources {
      let named = NamedResource(wanted.resourceType, wanted.resourceName)
      guard answered.insert(named).inserted else { continue }
      let error = alter(named, isRepeated: repeated.contains(named), in: &plan) { _ throws(KafkaError) in
        try ConfigEdit.replacement(wanted.configs)
      }
      response.responses.append(
        AlterConfigsResponse.AlterConfigsResourceResponse(
          errorCode: error?.code ?? .none, errorMessage: error?.message, resourceType: named.type,
          resourceName: named.name))
    }
    addUncleanLeaders(to: &plan)
    return plan.decision(validateOnly: request.validateOnly, .alterConfigs(response))
  }

  /// Changes single configs of each resource (KIP-339).
  func incrementalAlterConfigs(
    _ request: IncrementalAlterConfigsRequest
  ) -> Decision<MetadataRecord, ControllerReply> {
    let repeated = repeatedMembers(of: request.resources.lazy.map { NamedResource($0.resourceType, $0.resourceName) })
    let lists = ConfigLists(config: effectiveConfig)
    var plan = Plan(image)
    var answered: Set<NamedResource> = []
    var response = IncrementalAlterConfigsResponse()
    for wanted in request.resources {
      let named = NamedResource(wanted.resourceType, wanted.resourceName)
      guard answered.insert(named).inserted else { continue }
      let image = plan.image
      let error = alter(named, isRepeated: repeated.contains(named), in: &plan) { resource throws(KafkaError) in
        try ConfigEdit(wanted.configs).applied(
          to: image.configs(for: resource), isList: { lists.isList($0, of: resource) },
          effective: { lists.value(of: $0, in: resource) })
      }
      response.responses.append(
        IncrementalAlterConfigsResponse.AlterConfigsResourceResponse(
          errorCode: error?.code ?? .none, errorMessage: error?.message, resourceType: named.type,
          resourceName: named.name))
    }
    addUncleanLeaders(to: &plan)
    return plan.decision(validateOnly: request.validateOnly, .incrementalAlterConfigs(response))
  }

  /// Plans the configs that `edit` gives for a resource; the error its owner is told, if any.
  private func alter(
    _ named: NamedResource, isRepeated: Bool, in plan: inout Plan,
    edit: (ConfigResource) throws(KafkaError) -> [String: String]
  ) -> KafkaError? {
    do throws(KafkaError) {
      if isRepeated { throw KafkaError(.invalidRequest, "Each resource must appear at most once.") }
      let resource = try named.existing(in: plan.image)
      let current = plan.image.configs(for: resource)
      let wanted = try edit(resource)
      try ConfigRules(config: effectiveConfig, limits: limits).validate(
        wanted, changedFrom: current, of: resource.type, perBroker: !resource.name.isEmpty)
      plan.add(Self.changes(of: resource, from: current, to: wanted))
      return nil
    } catch {
      return error
    }
  }

  /// One record for each config that differs.
  private static func changes(
    of resource: ConfigResource, from current: [String: String], to wanted: [String: String]
  ) -> [MetadataRecord] {
    Set(current.keys).union(wanted.keys).sorted().compactMap { name in
      current[name] == wanted[name] ? nil : resource.record(name: name, value: wanted[name])
    }
  }
}

/// A resource as a request names it, whether there is such a one or not.
struct NamedResource: Hashable {
  let type: Int8
  let name: String
  init(_ type: Int8, _ name: String) {
    self.type = type
    self.name = name
  }

  /// The resource, when `image` has it and its configs can be changed.
  ///
  /// - Throws: UNKNOWN_TOPIC_OR_PARTITION or INVALID_REQUEST.
  func existing(in image: ClusterImage) throws(KafkaError) -> ConfigResource {
    switch ConfigResourceType(rawValue: type) {
    case .topic:
      if name.isEmpty { throw KafkaError(.invalidRequest, "Default topic resources are not allowed.") }
      if image.topic(named: name) == nil {
        throw KafkaError(.unknownTopicOrPartition, "Topic '\(excerpt(of: name))' does not exist.")
      }
      return .topic(name)
    case .broker:
      if name.isEmpty { return .brokerDefault }
      guard let id = Int32(name), String(id) == name, image.brokers[BrokerID(id)] != nil else {
        throw KafkaError(
          .invalidRequest,
          "Expected the id of a registered broker or an empty name, but received '\(excerpt(of: name))'.")
      }
      return .broker(BrokerID(id))
    case .brokerLogger, .clientMetrics, .group, nil:
      throw KafkaError(.invalidRequest, "Configs of resource type \(type) cannot be changed here.")
    }
  }
}

/// The configs that are lists, and what they are where nobody set them.
private struct ConfigLists {
  let config: BrokerConfig

  func isList(_ name: String, of resource: ConfigResource) -> Bool {
    resource.type == .topic ? TopicConfigValidator.isList(name) : BrokerConfig.isList(name)
  }

  func value(of name: String, in resource: ConfigResource) -> String? {
    let descriptions = resource.type == .topic ? config.describe(topicOverrides: [:]) : config.describe()
    return descriptions.first { $0.name == name }?.value
  }
}
