internal import KafkaProtocol
package import Primitives

extension ClusterImage {
  /// Takes in the record at `offset`. Whatever the record holds, nothing traps: logs are read from disks.
  package mutating func replay(_ record: MetadataRecord, at offset: Offset) {
    self.offset = offset
    let fits =
      switch record {
      case .cluster(let record): replay(record)
      case .broker(let record): replay(record)
      case .topic(let record): replay(record)
      case .partition(let record): replay(record)
      case .removeTopic(let record): replay(record)
      case .config(let record): replay(record)
      case .producerIds(let record): replay(record)
      case .removeBroker(let record): brokers.removeValue(forKey: BrokerID(record.brokerId)) != nil
      }
    if !fits { ignoredRecordCount += 1 }
  }

  private mutating func replay(_ record: ClusterRecord) -> Bool {
    clusterID = record.clusterId
    return true
  }

  private mutating func replay(_ record: BrokerRecord) -> Bool {
    let id = BrokerID(record.brokerId)
    brokers[id] = BrokerRegistration(
      id: id, epoch: record.brokerEpoch, rack: record.rack,
      endpoints: record.endpoints.map {
        BrokerEndpoint(name: $0.name, host: $0.host, port: $0.port, securityProtocol: $0.securityProtocol)
      }, incarnation: record.incarnationId, dataID: record.dataId, isFenced: record.isFenced,
      isShuttingDown: record.isShuttingDown)
    return true
  }

  private mutating func replay(_ record: TopicRecord) -> Bool {
    guard topicsByID[record.topicId] == nil, idsByName[record.name] == nil else { return false }
    topicsByID.set(TopicImage(id: record.topicId, name: record.name), for: record.topicId)
    idsByName.set(record.topicId, for: record.name)
    if TopicName.canCollide(record.name) {
      namesByCollisionKey.set(record.name, for: TopicName.collisionKey(of: record.name))
    }
    return true
  }

  /// A new partition has the next number of its topic; a lower number is a change of that partition.
  private mutating func replay(_ record: PartitionRecord) -> Bool {
    let partition = PartitionImage(
      replicas: record.replicas.map { BrokerID($0) }, isr: record.isr.map { BrokerID($0) },
      leader: BrokerID(record.leader), leaderEpoch: LeaderEpoch(record.leaderEpoch),
      partitionEpoch: record.partitionEpoch, addingReplicas: record.addingReplicas.map { BrokerID($0) },
      removingReplicas: record.removingReplicas.map { BrokerID($0) },
      doubtfulReplicas: record.doubtfulReplicas.map { BrokerID($0) },
      offlineReplicas: record.offlineReplicas.map { BrokerID($0) })
    let index = Int(record.partitionIndex)
    var added = 0
    var fits = false
    _ = topicsByID.update(record.topicId) { topic in
      guard index >= 0, index <= topic.partitions.count else { return }
      fits = true
      if index < topic.partitions.count {
        topic.partitions[index] = partition
      } else {
        topic.partitions.append(partition)
        added = 1
      }
    }
    partitionCount += added
    return fits
  }

  private mutating func replay(_ record: RemoveTopicRecord) -> Bool {
    guard let topic = topicsByID.remove(record.topicId) else { return false }
    idsByName.remove(topic.name)
    let key = TopicName.collisionKey(of: topic.name)
    if namesByCollisionKey[key] == topic.name { namesByCollisionKey.remove(key) }
    partitionCount -= topic.partitions.count
    return true
  }

  private mutating func replay(_ record: ConfigRecord) -> Bool {
    guard let type = ConfigResourceType(rawValue: record.resourceType) else { return false }
    if type == .topic {
      guard let id = idsByName[record.resourceName] else { return false }
      return topicsByID.update(id) { $0.configs[record.name] = record.value }
    }
    let resource = ConfigResource(type: type, name: record.resourceName)
    resourceConfigs[resource, default: [:]][record.name] = record.value
    if resourceConfigs[resource]?.isEmpty == true { resourceConfigs[resource] = nil }
    return true
  }

  private mutating func replay(_ record: ProducerIdsRecord) -> Bool {
    nextProducerID = ProducerID(record.nextProducerId)
    return true
  }
}
