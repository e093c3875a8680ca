internal import Cluster
internal import Configuration
internal import KafkaProtocol
internal import Primitives

/// Metadata: brokers, topics, leaders. Answers to `KafkaApis.handleTopicMetadataRequest`.
extension Shard {
  /// The operations that anybody may do while there is no authorizer, a bit each (KIP-430).
  static let topicOperations: Int32 = 0b1101_1111_1000
  static let clusterOperations: Int32 = 0b1_1111_1010_0000
  static let groupOperations: Int32 = 0b1101_0100_1000

  func metadata(_ request: MetadataRequest, _ context: RequestContext) {
    let missing = topicsToCreate(request, context.version)
    guard !missing.isEmpty else { return answerMetadata(request, context) }
    // The answer waits until all shards know the new topics; what could not be created is reported as it is then.
    if missing.contains(TopicName.consumerOffsets) {
      return withOffsetsTopic { [unowned self] topic in
        if topic == nil { answerMetadata(request, context) } else { metadata(request, context) }
      }
    }
    let creation = CreateTopicsRequest(
      topics: missing.map { .init(name: $0, numPartitions: -1, replicationFactor: -1) },
      // A client that only looks must not wait for an election.
      timeoutMs: 1000)
    command(.createTopics(creation)) { [unowned self] _ in answerMetadata(request, context) }
  }

  private struct TopicKey: Hashable {
    let name: String?
    let id: UUID
  }

  private func topicsToCreate(_ request: MetadataRequest, _ version: Int16) -> [String] {
    guard config.autoCreateTopicsEnable, version < 4 || request.allowAutoTopicCreation else { return [] }
    let names = (request.topics ?? []).compactMap { $0.topicId.isZero ? $0.name : nil }
    return Array(Set(names.filter { image.topic(named: $0) == nil && TopicName.isValid($0) })).sorted()
  }

  private func answerMetadata(_ request: MetadataRequest, _ context: RequestContext) {
    let topics: [MetadataResponse.MetadataResponseTopic]
    if let asked = request.topics, context.version > 0 || !asked.isEmpty {
      // Each topic once, as Kafka answers: the answer may be a thousand times the size of the question.
      var seen: Set<TopicKey> = []
      topics = asked.filter { seen.insert(TopicKey(name: $0.name, id: $0.topicId)).inserted }
        .map { describe($0, includeOperations: request.includeTopicAuthorizedOperations) }
    } else {
      topics = image.topicNames.compactMap { name in
        image.topic(named: name).map {
          describe($0, includeOperations: request.includeTopicAuthorizedOperations)
        }
      }
    }
    let response = MetadataResponse(
      brokers: image.sortedBrokers.filter { !$0.isFenced }.map { broker in
        let endpoint = endpoint(of: broker, for: context.client)
        return .init(nodeId: broker.id.value, host: endpoint.host, port: endpoint.port, rack: broker.rack)
      },
      clusterId: image.clusterID, controllerId: image.controllerID.value, topics: topics,
      clusterAuthorizedOperations: request.includeClusterAuthorizedOperations ? Self.clusterOperations : .min)
    reply(context.replyTo, .metadata(response))
  }

  private func describe(
    _ asked: MetadataRequest.MetadataRequestTopic, includeOperations: Bool
  ) -> MetadataResponse.MetadataResponseTopic {
    if !asked.topicId.isZero {
      guard let topic = image.topic(id: asked.topicId) else {
        return .init(errorCode: .unknownTopicId, name: nil, topicId: asked.topicId)
      }
      return describe(topic, includeOperations: includeOperations)
    }
    let name = asked.name ?? ""
    guard TopicName.isValid(name) else { return .init(errorCode: .invalidTopicException, name: name) }
    guard let topic = image.topic(named: name) else {
      return .init(errorCode: .unknownTopicOrPartition, name: name)
    }
    return describe(topic, includeOperations: includeOperations)
  }

  private func describe(
    _ topic: TopicImage, includeOperations: Bool
  ) -> MetadataResponse.MetadataResponseTopic {
    .init(
      name: topic.name, topicId: topic.id, isInternal: topic.isInternal,
      partitions: topic.partitions.enumerated().map { index, partition in
        .init(
          errorCode: partition.leader == .none ? .leaderNotAvailable : .none, partitionIndex: Int32(index),
          leaderId: partition.leader.value, leaderEpoch: partition.leaderEpoch.value,
          replicaNodes: partition.replicas.map(\.value), isrNodes: partition.isr.map(\.value),
          offlineReplicas: offlineReplicas(partition))
      },
      topicAuthorizedOperations: includeOperations ? Self.topicOperations : .min)
  }

  /// The replicas that nobody can reach: their broker is away, or cannot serve them.
  func offlineReplicas(_ partition: PartitionImage) -> [Int32] {
    partition.replicas.filter { (image.brokers[$0]?.isFenced ?? true) || partition.offlineReplicas.contains($0) }
      .map(\.value)
  }

  /// Where a client reaches a broker. For this one: what advertised.listeners says, else the very address that the client
  /// dialled, which is right behind port forwarding and in containers alike.
  func endpoint(of broker: BrokerRegistration, for client: ClientIdentity) -> (host: String, port: Int32) {
    let address = client.address
    guard broker.id == brokerID else {
      let name = config.listeners.indices.contains(address.listener) ? config.listeners[address.listener].name : ""
      let endpoint = broker.endpoints.first { $0.name == name } ?? broker.endpoints.first
      return (endpoint?.host ?? "", endpoint?.port ?? -1)
    }
    if let advertised = config.advertisedListeners, config.listeners.indices.contains(address.listener) {
      let name = config.listeners[address.listener].name
      if let listener = advertised.first(where: { $0.name == name }) {
        return (listener.host, Int32(listener.port))
      }
    }
    return (address.localHost, Int32(address.localPort))
  }
}

extension TopicName {
  static func isValid(_ name: String) -> Bool {
    do throws(KafkaError) {
      try validate(name)
      return true
    } catch { return false }
  }
}
