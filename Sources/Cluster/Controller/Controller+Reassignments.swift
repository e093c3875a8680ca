internal import KafkaProtocol
internal import Primitives

extension Controller {
  func alterPartitionReassignments(
    _ request: AlterPartitionReassignmentsRequest
  ) -> Decision<MetadataRecord, ControllerReply> {
    let brokers = LivingBrokers(image.brokers)
    var plan = Plan(image)
    var response = AlterPartitionReassignmentsResponse(
      allowReplicationFactorChange: request.allowReplicationFactorChange)
    for topic in request.topics {
      var answer = AlterPartitionReassignmentsResponse.ReassignableTopicResponse(name: topic.name)
      for wanted in topic.partitions {
        var result = AlterPartitionReassignmentsResponse.ReassignablePartitionResponse(
          partitionIndex: wanted.partitionIndex)
        do throws(KafkaError) {
          let record = try reassigned(
            wanted, of: topic.name, mayResize: request.allowReplicationFactorChange, among: brokers, in: plan.image)
          if let record { plan.add(record) }
        } catch {
          result.errorCode = error.code
          result.errorMessage = error.message
        }
        answer.partitions.append(result)
      }
      response.responses.append(answer)
    }
    return plan.decision(.alterPartitionReassignments(response))
  }

  /// The record of a move that begins, or ends; nil where all is so already.
  private func reassigned(
    _ wanted: AlterPartitionReassignmentsRequest.ReassignablePartition, of name: String,
    mayResize: Bool, among brokers: LivingBrokers, in image: ClusterImage
  ) throws(KafkaError) -> MetadataRecord? {
    guard let topic = image.topic(named: name), let old = topic.partition(wanted.partitionIndex) else {
      throw KafkaError(
        .unknownTopicOrPartition, "There is no partition \(wanted.partitionIndex) of '\(excerpt(of: name))'.")
    }
    let changed = try self.changed(old, by: wanted, mayResize: mayResize, in: image)
    let election = election(in: topic, among: brokers)
    if changed.isr.isEmpty, !election.isUncleanAllowed || election.uncleanLeader(of: changed) == nil {
      throw refused("None of the replicas that would be left is in sync.")
    }
    return election.settled(changed, from: old)?.record(topicID: topic.id, index: wanted.partitionIndex)
  }

  private func changed(
    _ old: PartitionImage, by wanted: AlterPartitionReassignmentsRequest.ReassignablePartition,
    mayResize: Bool, in image: ClusterImage
  ) throws(KafkaError) -> PartitionImage {
    guard let replicas = wanted.replicas else {
      if !old.isReassigning {
        throw KafkaError(.noReassignmentInProgress, "No replicas of this partition are on the move.")
      }
      return old.withReassignmentCancelled()
    }
    let target = try ManualAssignment(image: image).checked(replicas)
    if !mayResize, target.count != old.originalReplicas.count {
      throw KafkaError(
        .invalidReplicationFactor,
        "The partition has \(old.originalReplicas.count) replica(s); \(target.count) would change its replication factor."
      )
    }
    return old.reassigned(to: target)
  }

  private func refused(_ message: String) -> KafkaError { KafkaError(.invalidReplicaAssignment, message) }
}
