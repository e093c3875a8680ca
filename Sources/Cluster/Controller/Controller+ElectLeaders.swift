internal import KafkaProtocol
internal import Primitives

/// What an operator wants elected, as numbered on the wire (Kafka's `ElectionType`).
enum ElectionType: Int8 {
  /// The first of the replicas.
  case preferred = 0
  /// Any active one, where there is no leader.
  case unclean = 1
}

extension Controller {
  /// - Throws: INVALID_REQUEST for an unknown kind of election.
  func electLeaders(_ request: ElectLeadersRequest) throws(KafkaError) -> Decision<MetadataRecord, ControllerReply> {
    guard let type = ElectionType(rawValue: request.electionType) else {
      throw KafkaError(.invalidRequest, "Unknown election type \(request.electionType).")
    }
    let brokers = LivingBrokers(image.brokers)
    guard let topics = request.topicPartitions else { return electAll(type, among: brokers) }
    var records: [MetadataRecord] = []
    var response = ElectLeadersResponse()
    var answered: Set<NamedPartition> = []
    for wanted in topics {
      var result = ElectLeadersResponse.ReplicaElectionResult(topic: wanted.topic)
      for index in wanted.partitions where answered.insert(NamedPartition(wanted.topic, index)).inserted {
        var partition = ElectLeadersResponse.PartitionResult(partitionId: index)
        do throws(KafkaError) {
          records.append(try elected(type, topic: wanted.topic, index: index, among: brokers))
        } catch {
          partition.errorCode = error.code
          partition.errorMessage = error.message
        }
        result.partitionResult.append(partition)
      }
      response.replicaElectionResults.append(result)
    }
    return Decision(records: records, reply: .electLeaders(response))
  }

  /// Of all partitions those that need it are elected; the others are not in the answer.
  private func electAll(
    _ type: ElectionType, among brokers: LivingBrokers
  ) -> Decision<MetadataRecord, ControllerReply> {
    var records: [MetadataRecord] = []
    var response = ElectLeadersResponse()
    for name in image.topicNames {
      guard let topic = image.topic(named: name) else { continue }
      var result = ElectLeadersResponse.ReplicaElectionResult(topic: name)
      for (index, old) in topic.partitions.enumerated() where type.isNeeded(by: old) {
        let index = Int32(clamping: index)
        var partition = ElectLeadersResponse.PartitionResult(partitionId: index)
        do throws(KafkaError) {
          records.append(try type.elected(old, among: brokers).record(topicID: topic.id, index: index))
        } catch {
          partition.errorCode = error.code
          partition.errorMessage = error.message
        }
        result.partitionResult.append(partition)
      }
      if !result.partitionResult.isEmpty { response.replicaElectionResults.append(result) }
    }
    return Decision(records: records, reply: .electLeaders(response))
  }

  private func elected(
    _ type: ElectionType, topic name: String, index: Int32, among brokers: LivingBrokers
  ) throws(KafkaError) -> MetadataRecord {
    guard let topic = image.topic(named: name), let partition = topic.partition(index) else {
      throw KafkaError(.unknownTopicOrPartition, "There is no partition \(index) of '\(excerpt(of: name))'.")
    }
    if !type.isNeeded(by: partition) {
      throw KafkaError(.electionNotNeeded, "Broker \(partition.leader.value) leads already.")
    }
    return try type.elected(partition, among: brokers).record(topicID: topic.id, index: index)
  }
}

extension ElectionType {
  func isNeeded(by partition: PartitionImage) -> Bool {
    switch self {
    case .preferred: partition.leader != partition.preferredLeader
    case .unclean: partition.leader == .none
    }
  }

  /// `partition` with the leader wanted; it needs one.
  ///
  /// - Throws: PREFERRED_LEADER_NOT_AVAILABLE or ELIGIBLE_LEADERS_NOT_AVAILABLE.
  func elected(_ partition: PartitionImage, among brokers: LivingBrokers) throws(KafkaError) -> PartitionImage {
    var changed = partition
    let election = LeaderElection(brokers: brokers, isUncleanAllowed: self == .unclean)
    switch self {
    case .preferred:
      guard election.isEligible(partition.preferredLeader, in: partition) else {
        throw KafkaError(
          .preferredLeaderNotAvailable,
          "Broker \(partition.preferredLeader.value), the preferred leader, is not in sync or not active.")
      }
      changed.leader = partition.preferredLeader
    case .unclean:
      guard election.uncleanLeader(of: partition) != nil else {
        throw KafkaError(.eligibleLeadersNotAvailable, "None of the replicas is active.")
      }
    }
    guard let elected = election.settled(changed, from: partition) else {
      preconditionFailure("the election of a leader changed nothing about \(partition)")
    }
    return elected
  }
}

/// A partition as a request names it, whether there is such a one or not.
struct NamedPartition: Hashable {
  let topic: String
  let index: Int32
  init(_ topic: String, _ index: Int32) {
    self.topic = topic
    self.index = index
  }
}
