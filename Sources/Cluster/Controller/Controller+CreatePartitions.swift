internal import KafkaProtocol
internal import Primitives

extension Controller {
  func createPartitions(_ request: CreatePartitionsRequest) -> Decision<MetadataRecord, ControllerReply> {
    let repeated = repeatedMembers(of: request.topics.lazy.map(\.name))
    var plan = Plan(image)
    var random = random
    var answered: Set<String> = []
    var response = CreatePartitionsResponse()
    for topic in request.topics where answered.insert(topic.name).inserted {
      var result = CreatePartitionsResponse.CreatePartitionsTopicResult(name: topic.name)
      do throws(KafkaError) {
        if repeated.contains(topic.name) { throw KafkaError(.invalidRequest, "Duplicate topic name.") }
        let planned = plan.records.count
        plan.add(try newPartitions(topic, in: plan.image, alreadyPlanned: planned, random: &random))
      } catch {
        result.errorCode = error.code
        result.errorMessage = error.message
      }
      response.results.append(result)
    }
    return plan.decision(validateOnly: request.validateOnly, .createPartitions(response))
  }

  /// - Throws: UNKNOWN_TOPIC_OR_PARTITION, INVALID_PARTITIONS, INVALID_REPLICA_ASSIGNMENT, INVALID_REPLICATION_FACTOR or
  ///   POLICY_VIOLATION.
  private func newPartitions(
    _ wanted: CreatePartitionsRequest.CreatePartitionsTopic, in image: ClusterImage, alreadyPlanned: Int,
    random: inout DecisionRandom
  ) throws(KafkaError) -> [MetadataRecord] {
    guard let topic = image.topic(named: wanted.name) else {
      throw KafkaError(
        .unknownTopicOrPartition, "Topic '\(excerpt(of: wanted.name))' does not exist.")
    }
    let present = topic.partitions.count
    let added = Int(wanted.count) - present
    if added == 0 { throw KafkaError(.invalidPartitions, "Topic already has \(present) partition(s).") }
    if added < 0 {
      throw KafkaError(
        .invalidPartitions,
        "The topic \(topic.name) currently has \(present) partition(s); \(wanted.count) would not be an increase.")
    }
    if alreadyPlanned + added > limits.partitionsPerRequestMax {
      throw KafkaError(
        .policyViolation, "At most \(limits.partitionsPerRequestMax) partitions can be made at once.")
    }
    try checkRoom(for: added, besides: present, in: image, config: effectiveConfig)
    let placed = try replicas(wanted, of: topic, added: added, in: image, random: &random)
    let brokers = LivingBrokers(image.brokers)
    return placed.enumerated().map { number, replicas in
      PartitionImage(new: replicas, among: brokers).record(topicID: topic.id, index: Int32(clamping: present + number))
    }
  }

  private func replicas(
    _ wanted: CreatePartitionsRequest.CreatePartitionsTopic, of topic: TopicImage, added: Int,
    in image: ClusterImage, random: inout DecisionRandom
  ) throws(KafkaError) -> [[BrokerID]] {
    let replicationFactor = topic.partitions.first?.replicas.count ?? 1
    guard let assignments = wanted.assignments else {
      return try ReplicaPlacement(brokers: image.sortedBrokers).place(
        partitionCount: added, firstPartition: topic.partitions.count, replicationFactor: replicationFactor,
        random: &random)
    }
    if assignments.count != added {
      throw KafkaError(
        .invalidReplicaAssignment,
        "Attempted to add \(added) additional partition(s), but \(assignments.count) assignment(s) were specified.")
    }
    return try ManualAssignment(image: image, replicationFactor: replicationFactor)
      .inOrder(assignments.map(\.brokerIds))
  }
}
