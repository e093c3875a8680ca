internal import Configuration
internal import KafkaProtocol
internal import Primitives

extension Controller {
  func createTopics(_ request: CreateTopicsRequest) -> Decision<MetadataRecord, ControllerReply> {
    let config = effectiveConfig
    let repeated = repeatedMembers(of: request.topics.lazy.map(\.name))
    let refusal = excessivePartitions(of: request, config: config)
    var plan = Plan(image)
    var random = random
    var answered: Set<String> = []
    var response = CreateTopicsResponse()
    for topic in request.topics where answered.insert(topic.name).inserted {
      do throws(KafkaError) {
        if let refusal { throw refusal }
        if repeated.contains(topic.name) { throw KafkaError(.invalidRequest, "Duplicate topic name.") }
        let planned = try plannedTopic(topic, in: plan.image, config: config, random: &random)
        plan.add(planned.records)
        response.topics.append(Self.created(planned, config: config))
      } catch {
        response.topics.append(
          CreateTopicsResponse.CreatableTopicResult(
            name: topic.name, errorCode: error.code, errorMessage: error.message))
      }
    }
    return plan.decision(validateOnly: request.validateOnly, .createTopics(response))
  }

  /// The topic as the request wants it, checked against `image`.
  private func plannedTopic(
    _ topic: CreateTopicsRequest.CreatableTopic, in image: ClusterImage, config: BrokerConfig,
    random: inout DecisionRandom
  ) throws(KafkaError) -> TopicImage {
    try validateNewName(topic.name, in: image)
    let configs = try newTopicConfigs(topic, config: config)
    let placed =
      topic.assignments.isEmpty
      ? try placedReplicas(topic, in: image, config: config, random: &random)
      : try assignedReplicas(topic, in: image)
    try checkRoom(for: placed.count, in: image, config: config)
    let brokers = LivingBrokers(image.brokers)
    return TopicImage(
      id: random.topicID(notIn: image), name: topic.name,
      partitions: placed.map { PartitionImage(new: $0, among: brokers) }, configs: configs)
  }

  /// - Throws: INVALID_TOPIC_EXCEPTION, TOPIC_ALREADY_EXISTS or INVALID_REQUEST.
  private func validateNewName(_ name: String, in image: ClusterImage) throws(KafkaError) {
    try TopicName.validate(name)
    if image.topic(named: name) != nil { throw KafkaError(.topicAlreadyExists, "Topic '\(name)' already exists.") }
    if let other = image.topicColliding(with: name) {
      throw KafkaError(
        .invalidTopicException,
        "Topic '\(name)' collides with the existing topic '\(other)': '.' and '_' are the same in metric names.")
    }
    if name == TopicName.clusterMetadata {
      throw KafkaError(.invalidRequest, "Topic '\(name)' is reserved for the cluster's metadata.")
    }
  }

  /// - Throws: INVALID_CONFIG.
  private func newTopicConfigs(
    _ topic: CreateTopicsRequest.CreatableTopic, config: BrokerConfig
  ) throws(KafkaError) -> [String: String] {
    var configs: [String: String] = [:]
    for entry in topic.configs {
      guard let value = entry.value else {
        throw KafkaError(.invalidConfig, "Null value not supported for topic config \(excerpt(of: entry.name)).")
      }
      configs[entry.name] = value
    }
    try ConfigRules(config: config, limits: limits).validate(configs, of: .topic)
    return configs
  }

  private func placedReplicas(
    _ topic: CreateTopicsRequest.CreatableTopic, in image: ClusterImage, config: BrokerConfig,
    random: inout DecisionRandom
  ) throws(KafkaError) -> [[BrokerID]] {
    if topic.replicationFactor < -1 || topic.replicationFactor == 0 {
      throw KafkaError(
        .invalidReplicationFactor, "Replication factor must be larger than 0, or -1 to use the default value.")
    }
    if topic.numPartitions < -1 || topic.numPartitions == 0 {
      throw KafkaError(
        .invalidPartitions, "Number of partitions must be larger than 0, or -1 to use the default value.")
    }
    return try ReplicaPlacement(brokers: image.sortedBrokers).place(
      partitionCount: topic.numPartitions == -1 ? Int(config.numPartitions) : Int(topic.numPartitions),
      replicationFactor: topic.replicationFactor == -1
        ? Int(config.defaultReplicationFactor) : Int(topic.replicationFactor),
      random: &random)
  }

  private func assignedReplicas(
    _ topic: CreateTopicsRequest.CreatableTopic, in image: ClusterImage
  ) throws(KafkaError) -> [[BrokerID]] {
    if topic.numPartitions != -1 {
      throw KafkaError(
        .invalidRequest, "A manual partition assignment was specified, but numPartitions was not set to -1.")
    }
    if topic.replicationFactor != -1 {
      throw KafkaError(
        .invalidRequest, "A manual partition assignment was specified, but replication factor was not set to -1.")
    }
    return try ManualAssignment(image: image).numbered(
      topic.assignments.map { (number: $0.partitionIndex, replicas: $0.brokerIds) })
  }

  /// - Throws: POLICY_VIOLATION when a topic that has `present` partitions, or the cluster, would have more than it may.
  func checkRoom(
    for added: Int, besides present: Int = 0, in image: ClusterImage, config: BrokerConfig
  ) throws(KafkaError) {
    let topicMax = Int(config.ottlaTopicPartitionsMax)
    if present + added > topicMax {
      throw KafkaError(
        .policyViolation, "A topic may have at most \(topicMax) partitions (ottla.topic.partitions.max).")
    }
    let clusterMax = Int(config.ottlaPartitionsMax)
    if image.partitionCount + added > clusterMax {
      throw KafkaError(
        .policyViolation,
        "There are \(image.partitionCount) partitions; \(added) more would exceed the limit of \(clusterMax) "
          + "(ottla.partitions.max).")
    }
  }

  /// The refusal of the whole request when it asks for too many partitions.
  private func excessivePartitions(of request: CreateTopicsRequest, config: BrokerConfig) -> KafkaError? {
    var total = 0
    for topic in request.topics {
      let byDefault = topic.numPartitions == -1 ? Int(config.numPartitions) : Int(topic.numPartitions)
      total += topic.assignments.isEmpty ? max(byDefault, 0) : topic.assignments.count
    }
    if total <= limits.partitionsPerRequestMax { return nil }
    return KafkaError(
      .policyViolation,
      "The request asks for \(total) partitions; at most \(limits.partitionsPerRequestMax) can be made at once.")
  }

  /// The answer for a topic that was made: from version 5 on clients get the whole effective config (KIP-525).
  private static func created(
    _ topic: TopicImage, config: BrokerConfig
  ) -> CreateTopicsResponse.CreatableTopicResult {
    CreateTopicsResponse.CreatableTopicResult(
      name: topic.name, topicId: topic.id, errorCode: .none, errorMessage: nil,
      numPartitions: Int32(clamping: topic.partitions.count),
      replicationFactor: Int16(clamping: topic.partitions.first?.replicas.count ?? 0),
      configs: config.describe(topicOverrides: topic.configs).map {
        CreateTopicsResponse.CreatableTopicConfigs(
          name: $0.name, value: $0.value, readOnly: $0.isReadOnly, configSource: $0.source.rawValue,
          isSensitive: $0.isSensitive)
      })
  }
}

extension PartitionImage {
  /// A partition that never had records: all of its replicas that are active are in sync, and the first of them leads. At
  /// least one must be.
  init(new replicas: [BrokerID], among brokers: LivingBrokers) {
    let isr = replicas.filter(brokers.isActive)
    precondition(!isr.isEmpty, "a new partition was given to \(replicas), none of which is active")
    self.init(replicas: replicas, isr: isr, leader: isr[0], leaderEpoch: LeaderEpoch(0), partitionEpoch: 0)
  }
}
