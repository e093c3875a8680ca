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

  func unregisterBroker(_ id: BrokerID) throws(KafkaError) -> Decision<MetadataRecord, ControllerReply> {
    guard let broker = image.brokers[id] else {
      throw KafkaError(.brokerIdNotRegistered, "No broker with id \(id.value) is registered.")
    }
    if !broker.isFenced {
      throw KafkaError(.invalidRequest, "Broker \(id.value) is alive; stop it first.")
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
}
