internal import Cluster
internal import Configuration
internal import KafkaProtocol
internal import Primitives

/// A controller command between brokers: as the request that Kafka has for it, in an Envelope (KIP-590).
extension ControllerCommand {
  /// The request that stands for the command, and its version; nil for those that never leave the controller's broker.
  func request(of broker: BrokerID, epoch: Int64) -> (request: Request, version: Int16)? {
    switch self {
    case .createTopics(let request): (.createTopics(request), 7)
    case .createInternalTopic(let topic):
      // Its numbers are the controller's to choose.
      (
        .createTopics(
          CreateTopicsRequest(topics: [.init(name: topic.name, numPartitions: -1, replicationFactor: -1)])), 7
      )
    case .deleteTopics(let request): (.deleteTopics(request.inStates), 6)
    case .createPartitions(let request): (.createPartitions(request), 3)
    case .alterConfigs(let request): (.alterConfigs(request), 2)
    case .incrementalAlterConfigs(let request): (.incrementalAlterConfigs(request), 1)
    case .allocateProducerIDs:
      (.allocateProducerIds(AllocateProducerIdsRequest(brokerId: broker.value, brokerEpoch: epoch)), 0)
    case .alterPartition(let request): (.alterPartition(request), 3)
    case .brokerHeartbeat(let request): (.brokerHeartbeat(request), 1)
    case .assignReplicasToDirs(let request): (.assignReplicasToDirs(request), 0)
    case .electLeaders(let request): (.electLeaders(request), 2)
    case .alterPartitionReassignments(let request): (.alterPartitionReassignments(request), 1)
    case .unregisterBroker(let id): (.unregisterBroker(UnregisterBrokerRequest(brokerId: id.value)), 0)
    case .createCluster, .brokersPresent, .balanceLeaders, .producerIDBlock: nil
    }
  }

  /// The command that a request from another broker stands for.
  init?(_ request: Request, _ config: BrokerConfig) {
    switch request {
    case .createTopics(let request):
      let topic = request.topics.first
      let isInternal =
        request.topics.count == 1 && topic?.name == TopicName.consumerOffsets && topic?.numPartitions == -1
        && topic?.replicationFactor == -1 && topic?.configs.isEmpty == true && !request.validateOnly
      self = isInternal ? .createInternalTopic(.consumerOffsets(config)) : .createTopics(request)
    case .deleteTopics(let request): self = .deleteTopics(request)
    case .createPartitions(let request): self = .createPartitions(request)
    case .alterConfigs(let request): self = .alterConfigs(request)
    case .incrementalAlterConfigs(let request): self = .incrementalAlterConfigs(request)
    case .allocateProducerIds(let request): self = .producerIDBlock(request)
    case .alterPartition(let request): self = .alterPartition(request)
    case .brokerHeartbeat(let request): self = .brokerHeartbeat(request)
    case .assignReplicasToDirs(let request): self = .assignReplicasToDirs(request)
    case .electLeaders(let request): self = .electLeaders(request)
    case .alterPartitionReassignments(let request): self = .alterPartitionReassignments(request)
    case .unregisterBroker(let request): self = .unregisterBroker(BrokerID(request.brokerId))
    default: return nil
    }
  }
}

extension ControllerCommand {
  /// How long the command may wait for a controller, in ms; nil for those whose askers try again by themselves.
  var controllerWaitMs: Int64? {
    switch self {
    case .createTopics(let request): Self.wait(request.timeoutMs)
    case .deleteTopics(let request): Self.wait(request.timeoutMs)
    case .createPartitions(let request): Self.wait(request.timeoutMs)
    case .electLeaders(let request): Self.wait(request.timeoutMs)
    case .alterPartitionReassignments(let request): Self.wait(request.timeoutMs)
    case .alterConfigs, .incrementalAlterConfigs, .unregisterBroker: Self.waitMsMax
    case .createInternalTopic, .allocateProducerIDs: 1000
    case .createCluster, .brokersPresent, .brokerHeartbeat, .assignReplicasToDirs, .alterPartition, .balanceLeaders,
      .producerIDBlock:
      nil
    }
  }

  private static let waitMsMax: Int64 = 20_000

  private static func wait(_ timeoutMs: Int32) -> Int64 { min(max(0, Int64(timeoutMs)), waitMsMax) }
}

extension ControllerReply {
  /// The response that carries the reply to another broker; nil for those that never leave the controller's broker.
  var response: Response? {
    switch self {
    case .createTopics(let response): .createTopics(response)
    case .internalTopic(let id):
      .createTopics(CreateTopicsResponse(topics: [.init(name: TopicName.consumerOffsets, topicId: id)]))
    case .deleteTopics(let response): .deleteTopics(response)
    case .createPartitions(let response): .createPartitions(response)
    case .alterConfigs(let response): .alterConfigs(response)
    case .incrementalAlterConfigs(let response): .incrementalAlterConfigs(response)
    case .producerIDBlock(let response): .allocateProducerIds(response)
    case .alterPartition(let response): .alterPartition(response)
    case .brokerHeartbeat(let response): .brokerHeartbeat(response)
    case .assignReplicasToDirs(let response): .assignReplicasToDirs(response)
    case .electLeaders(let response): .electLeaders(response)
    case .alterPartitionReassignments(let response): .alterPartitionReassignments(response)
    case .brokerUnregistered: .unregisterBroker(UnregisterBrokerResponse())
    case .clusterCreated, .brokersSettled, .leadersBalanced, .producerIDs: nil
    }
  }

  /// The reply that a response carries to the broker that sent `command`.
  ///
  /// - Throws: what the response says of the whole command; UNKNOWN_SERVER_ERROR where it answers another question.
  init(_ response: Response, to command: ControllerCommand) throws(KafkaError) {
    switch (command, response) {
    case (.createTopics, .createTopics(let response)): self = .createTopics(response)
    case (.createInternalTopic, .createTopics(let response)):
      guard let topic = response.topics.first else { throw Self.unexpected }
      guard topic.errorCode == .none else { throw KafkaError(topic.errorCode, topic.errorMessage) }
      self = .internalTopic(id: topic.topicId)
    case (.deleteTopics, .deleteTopics(let response)): self = .deleteTopics(response)
    case (.createPartitions, .createPartitions(let response)): self = .createPartitions(response)
    case (.alterConfigs, .alterConfigs(let response)): self = .alterConfigs(response)
    case (.incrementalAlterConfigs, .incrementalAlterConfigs(let response)): self = .incrementalAlterConfigs(response)
    case (.allocateProducerIDs, .allocateProducerIds(let response)):
      guard response.errorCode == .none else { throw KafkaError(response.errorCode) }
      guard response.producerIdStart >= 0, response.producerIdLen > 0,
        !response.producerIdStart.addingReportingOverflow(Int64(response.producerIdLen)).overflow
      else { throw Self.unexpected }
      self = .producerIDs(first: ProducerID(response.producerIdStart), count: response.producerIdLen)
    case (.alterPartition, .alterPartition(let response)): self = .alterPartition(response)
    case (.brokerHeartbeat, .brokerHeartbeat(let response)): self = .brokerHeartbeat(response)
    case (.assignReplicasToDirs, .assignReplicasToDirs(let response)): self = .assignReplicasToDirs(response)
    case (.electLeaders, .electLeaders(let response)): self = .electLeaders(response)
    case (.alterPartitionReassignments, .alterPartitionReassignments(let response)):
      self = .alterPartitionReassignments(response)
    case (.unregisterBroker, .unregisterBroker(let response)):
      guard response.errorCode == .none else { throw KafkaError(response.errorCode, response.errorMessage) }
      self = .brokerUnregistered
    default: throw Self.unexpected
    }
  }

  private static let unexpected = KafkaError(.unknownServerError, "the controller's answer was not to the question")
}
