internal import KafkaProtocol
package import Primitives

/// The ids that stand for folders of which only so much is known (Kafka's `DirectoryId`).
package enum DirectoryID {
  /// Some folder that works.
  package static let unassigned = UUID.zero
  /// None that works.
  package static let lost = UUID(high: 0, low: 1)
}

extension Controller {
  /// Takes note of which replicas a broker has lost for this life, or has again. Who leads and who is in sync follows from it
  /// as when the broker dies, or is back.
  ///
  /// - Throws: BROKER_ID_NOT_REGISTERED, STALE_BROKER_EPOCH; INVALID_REQUEST for a folder by its own id.
  func assignReplicasToDirs(
    _ request: AssignReplicasToDirsRequest
  ) throws(KafkaError) -> Decision<MetadataRecord, ControllerReply> {
    let broker = try registeredBroker(BrokerID(request.brokerId), epoch: request.brokerEpoch)
    let brokers = LivingBrokers(image.brokers)
    var plan = Plan(image)
    var response = AssignReplicasToDirsResponse()
    for directory in request.directories {
      guard directory.id == DirectoryID.lost || directory.id == DirectoryID.unassigned else {
        throw KafkaError(.invalidRequest, "The controller does not keep in which folder a replica is.")
      }
      var answers = AssignReplicasToDirsResponse.DirectoryData(id: directory.id)
      for topic in directory.topics {
        var answer = AssignReplicasToDirsResponse.TopicData(topicId: topic.topicId)
        for wanted in topic.partitions {
          var result = AssignReplicasToDirsResponse.PartitionData(partitionIndex: wanted.partitionIndex)
          do throws(KafkaError) {
            let record = try stated(
              isLost: directory.id == DirectoryID.lost, by: broker.id, wanted.partitionIndex, of: topic.topicId,
              among: brokers, in: plan.image)
            if let record { plan.add(record) }
          } catch { result.errorCode = error.code }
          answer.partitions.append(result)
        }
        answers.topics.append(answer)
      }
      response.directories.append(answers)
    }
    return plan.decision(.assignReplicasToDirs(response))
  }

  /// The record that follows from it; nil where that is known.
  private func stated(
    isLost: Bool, by broker: BrokerID, _ index: Int32, of topicID: UUID, among brokers: LivingBrokers,
    in image: ClusterImage
  ) throws(KafkaError) -> MetadataRecord? {
    guard let topic = image.topic(id: topicID) else { throw KafkaError(.unknownTopicId) }
    guard let old = topic.partition(index) else { throw KafkaError(.unknownTopicOrPartition) }
    guard old.replicas.contains(broker) else { throw KafkaError(.notLeaderOrFollower) }
    guard old.offlineReplicas.contains(broker) != isLost else { return nil }
    var changed = old
    if isLost { changed.offlineReplicas.append(broker) } else { changed.offlineReplicas.removeAll { $0 == broker } }
    return election(in: topic, among: brokers).settled(changed, from: old)?.record(topicID: topicID, index: index)
  }
}
