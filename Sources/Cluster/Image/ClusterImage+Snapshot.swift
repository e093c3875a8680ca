internal import KafkaProtocol
internal import Primitives

extension ClusterImage {
  /// The records that make this image out of an empty one, always in the same order.
  ///
  /// Never more than there were records in the log, so they fit the offsets up to the image's own: each part of an image
  /// was made by a record of its own.
  package func snapshotRecords() -> [MetadataRecord] {
    var records: [MetadataRecord] = []
    if !clusterID.isEmpty { records.append(.cluster(ClusterRecord(clusterId: clusterID))) }
    for broker in sortedBrokers { records.append(broker.metadataRecord) }
    for name in topicNames {
      if let topic = topic(named: name) { records += topic.records }
    }
    for resource in resourceConfigs.keys.sorted() {
      records += (resourceConfigs[resource] ?? [:]).records(of: resource)
    }
    if nextProducerID > ProducerID(0) {
      records.append(.producerIds(ProducerIdsRecord(nextProducerId: nextProducerID.value)))
    }
    return records
  }
}

extension BrokerRegistration {
  /// The record that registers this broker.
  var metadataRecord: MetadataRecord {
    .broker(
      BrokerRecord(
        brokerId: id.value, brokerEpoch: epoch, rack: rack,
        endpoints: endpoints.map {
          BrokerRecord.BrokerEndpoint(
            name: $0.name, host: $0.host, port: $0.port, securityProtocol: $0.securityProtocol)
        },
        incarnationId: incarnation, dataId: dataID, isFenced: isFenced, isShuttingDown: isShuttingDown))
  }
}

extension TopicImage {
  /// The records that make this topic: itself, its configs, its partitions.
  var records: [MetadataRecord] {
    var records: [MetadataRecord] = [.topic(TopicRecord(name: name, topicId: id))]
    records += configs.records(of: .topic(name))
    for (index, partition) in partitions.enumerated() {
      records.append(partition.record(topicID: id, index: Int32(clamping: index)))
    }
    return records
  }
}

extension PartitionImage {
  /// The record that makes, or changes, partition `index` of a topic into this.
  func record(topicID: UUID, index: Int32) -> MetadataRecord {
    .partition(
      PartitionRecord(
        topicId: topicID, partitionIndex: index, replicas: replicas.map(\.value), isr: isr.map(\.value),
        leader: leader.value, leaderEpoch: leaderEpoch.value, partitionEpoch: partitionEpoch,
        addingReplicas: addingReplicas.map(\.value), removingReplicas: removingReplicas.map(\.value),
        doubtfulReplicas: doubtfulReplicas.map(\.value), offlineReplicas: offlineReplicas.map(\.value)))
  }
}

extension [String: String] {
  /// The records that set these configs on `resource`, in the order of their names.
  func records(of resource: ConfigResource) -> [MetadataRecord] {
    keys.sorted().map { resource.record(name: $0, value: self[$0]) }
  }
}

extension ConfigResource {
  /// The record that sets the config `name` of this resource, or removes it where `value` is nil.
  func record(name: String, value: String?) -> MetadataRecord {
    .config(
      ConfigRecord(resourceType: type.rawValue, resourceName: self.name, name: name, value: value))
  }
}
