internal import KafkaProtocol
internal import Primitives

extension Controller {
  /// - Throws: STALE_BROKER_EPOCH when the sender is not, or not any more, the broker it says it is.
  func alterPartition(
    _ request: AlterPartitionRequest
  ) throws(KafkaError) -> Decision<MetadataRecord, ControllerReply> {
    let sender = BrokerID(request.brokerId)
    guard image.brokers[sender]?.epoch == request.brokerEpoch else {
      throw KafkaError(
        .staleBrokerEpoch,
        "Broker \(request.brokerId) is not registered with epoch \(request.brokerEpoch): it must not change an ISR.")
    }
    let brokers = LivingBrokers(image.brokers)
    var plan = Plan(image)
    var response = AlterPartitionResponse()
    for wantedTopic in request.topics {
      var answer = AlterPartitionResponse.TopicData(topicId: wantedTopic.topicId)
      for wanted in wantedTopic.partitions {
        answer.partitions.append(
          alter(wanted, of: wantedTopic.topicId, sender: sender, among: brokers, in: &plan))
      }
      response.topics.append(answer)
    }
    return plan.decision(.alterPartition(response))
  }

  private func alter(
    _ wanted: AlterPartitionRequest.PartitionData, of topicID: UUID, sender: BrokerID, among brokers: LivingBrokers,
    in plan: inout Plan
  ) -> AlterPartitionResponse.PartitionData {
    var answer = AlterPartitionResponse.PartitionData(partitionIndex: wanted.partitionIndex)
    do throws(KafkaError) {
      let (old, settled) = try altered(wanted, of: topicID, sender: sender, among: brokers, in: plan.image)
      if let settled { plan.add(settled.record(topicID: topicID, index: wanted.partitionIndex)) }
      answer = Self.accepted(settled ?? old, index: wanted.partitionIndex, sender: sender)
    } catch {
      answer.errorCode = error.code
    }
    return answer
  }

  /// The partition before and after. Gives the topic up again before the plan goes on,
  /// which would copy it otherwise.
  private func altered(
    _ wanted: AlterPartitionRequest.PartitionData, of topicID: UUID, sender: BrokerID, among brokers: LivingBrokers,
    in image: ClusterImage
  ) throws(KafkaError) -> (old: PartitionImage, settled: PartitionImage?) {
    guard let topic = image.topic(id: topicID) else {
      throw KafkaError(.unknownTopicId, "No topic has the id \(topicID).")
    }
    guard let old = topic.partition(wanted.partitionIndex) else {
      throw KafkaError(.unknownTopicOrPartition, "'\(topic.name)' has no partition \(wanted.partitionIndex).")
    }
    #if DEBUG
      var proposal = IsrProposal(wanted, sender: sender)
      proposal.isTrusted = mutation == .staleBrokerEpochJoins
    #else
      let proposal = IsrProposal(wanted, sender: sender)
    #endif
    try proposal.validate(against: old, registered: image.brokers)
    var changed = old
    changed.isr = proposal.isr
    return (old, election(in: topic, among: brokers).settled(changed, from: old, isRecorded: true))
  }

  private static func accepted(
    _ partition: PartitionImage, index: Int32, sender: BrokerID
  ) -> AlterPartitionResponse.PartitionData {
    AlterPartitionResponse.PartitionData(
      partitionIndex: index, errorCode: partition.leader == sender ? .none : .newLeaderElected,
      leaderId: partition.leader.value, leaderEpoch: partition.leaderEpoch.value, isr: partition.isr.map(\.value),
      partitionEpoch: partition.partitionEpoch)
  }
}

/// The ISR that a leader wants.
struct IsrProposal {
  private let sender: BrokerID
  private let leaderEpoch: LeaderEpoch
  private let partitionEpoch: Int32
  private let isRecovered: Bool
  /// Each with the epoch that the leader knows it by.
  private let members: [(id: BrokerID, epoch: Int64)]
  #if DEBUG
    /// See `Mutation.staleBrokerEpochJoins`.
    var isTrusted = false
  #endif

  var isr: [BrokerID] { members.map(\.id) }

  init(_ wanted: AlterPartitionRequest.PartitionData, sender: BrokerID) {
    self.sender = sender
    leaderEpoch = LeaderEpoch(wanted.leaderEpoch)
    partitionEpoch = wanted.partitionEpoch
    isRecovered = wanted.leaderRecoveryState == 0
    // Version 2 knows no epochs, and without one nobody can tell a member from what it was before it died.
    members =
      wanted.newIsrWithEpochs.map { (BrokerID($0.brokerId), $0.brokerEpoch) }
      + wanted.newIsr.map { (BrokerID($0), -1) }
  }

  /// - Throws: NOT_CONTROLLER when the leader knows more than this controller, FENCED_LEADER_EPOCH or
  ///   INVALID_UPDATE_VERSION when it knows less, INELIGIBLE_REPLICA for a member that is fenced, about to stop (but for the
  ///   leader itself), cannot serve its replica, or has died since; INVALID_REQUEST for what no leader may ask.
  func validate(
    against partition: PartitionImage, registered: [BrokerID: BrokerRegistration]
  ) throws(KafkaError) {
    if leaderEpoch > partition.leaderEpoch || partitionEpoch > partition.partitionEpoch {
      throw KafkaError(.notController, "The leader knows of a later epoch than the controller.")
    }
    if leaderEpoch < partition.leaderEpoch { throw KafkaError(.fencedLeaderEpoch) }
    if partition.leader != sender { throw KafkaError(.invalidRequest, "The sender does not lead the partition.") }
    if partitionEpoch < partition.partitionEpoch { throw KafkaError(.invalidUpdateVersion) }
    if !isRecovered { throw KafkaError(.invalidRequest, "A leader that recovers is not known here.") }
    var seen: Set<BrokerID> = []
    for member in members where !partition.replicas.contains(member.id) || !seen.insert(member.id).inserted {
      throw KafkaError(.invalidRequest, "Broker \(member.id.value) is no replica, or is named twice.")
    }
    for member in members {
      #if DEBUG
        if isTrusted, registered[member.id]?.isActive == true { continue }
      #endif
      // A leader that is about to stop, and has nobody who could take over, may let somebody in.
      guard let broker = registered[member.id], broker.isActive || (member.id == sender && !broker.isFenced),
        broker.epoch == member.epoch
      else {
        throw KafkaError(.ineligibleReplica, "Broker \(member.id.value) is not active with epoch \(member.epoch).")
      }
      if partition.offlineReplicas.contains(member.id) {
        throw KafkaError(.ineligibleReplica, "Broker \(member.id.value) cannot serve its replica.")
      }
    }
    if !seen.contains(sender) { throw KafkaError(.invalidRequest, "The leader is not in the ISR it wants.") }
  }
}
