internal import KafkaProtocol
internal import Primitives

extension Controller {
  func createCluster(_ id: String) throws(KafkaError) -> Decision<MetadataRecord, ControllerReply> {
    if id.isEmpty { throw KafkaError(.invalidRequest, "A cluster's id cannot be empty.") }
    if image.clusterID == id { return Decision(reply: .clusterCreated(id: id)) }
    guard image.clusterID.isEmpty else {
      throw KafkaError(
        .inconsistentClusterId, "The cluster's id is \(image.clusterID); it cannot become \(id).")
    }
    return Decision(records: [.cluster(ClusterRecord(clusterId: id))], reply: .clusterCreated(id: id))
  }

  /// The epoch is the offset of the registration: it grows with each.
  func registerBroker(_ wanted: BrokerRegistration) -> Decision<MetadataRecord, ControllerReply> {
    let epoch = image.nextOffset.value
    let broker = BrokerRegistration(
      id: wanted.id, epoch: epoch, rack: wanted.rack, endpoints: wanted.endpoints)
    return Decision(records: [broker.metadataRecord], reply: .brokerRegistered(epoch: epoch))
  }

  func unregisterBroker(_ id: BrokerID) throws(KafkaError) -> Decision<MetadataRecord, ControllerReply> {
    guard image.brokers[id] != nil else {
      throw KafkaError(.brokerIdNotRegistered, "No broker with id \(id.value) is registered.")
    }
    for name in image.topicNames {
      guard let topic = image.topic(named: name) else { continue }
      if topic.partitions.contains(where: { $0.replicas.contains(id) }) {
        throw KafkaError(
          .invalidRequest, "Broker \(id.value) still holds partitions, of topic '\(name)' for one; move them first.")
      }
    }
    let record = MetadataRecord.removeBroker(RemoveBrokerRecord(brokerId: id.value))
    return Decision(records: [record], reply: .brokerUnregistered)
  }

  func bumpLeaderEpochs(of broker: BrokerID) -> Decision<MetadataRecord, ControllerReply> {
    var records: [MetadataRecord] = []
    for name in image.topicNames {
      guard let topic = image.topic(named: name) else { continue }
      for (index, var partition) in topic.partitions.enumerated() where partition.leader == broker {
        partition.leaderEpoch = LeaderEpoch(partition.leaderEpoch.value &+ 1)
        partition.partitionEpoch &+= 1
        records.append(partition.record(topicID: topic.id, index: Int32(clamping: index)))
      }
    }
    return Decision(records: records, reply: .leaderEpochsBumped(partitionCount: records.count))
  }

  func allocateProducerIDs(_ count: Int32) throws(KafkaError) -> Decision<MetadataRecord, ControllerReply> {
    guard count > 0 else {
      throw KafkaError(.invalidRequest, "\(count) producer ids were asked for; at least 1 is needed.")
    }
    let first = image.nextProducerID
    let (next, overflow) = first.value.addingReportingOverflow(Int64(count))
    if overflow { throw KafkaError(.unknownServerError, "All producer ids were handed out.") }
    let record = MetadataRecord.producerIds(ProducerIdsRecord(nextProducerId: next))
    return Decision(records: [record], reply: .producerIDs(first: first, count: count))
  }
}
