package import KafkaProtocol
package import Primitives

/// What a controller can be asked to do.
package enum ControllerCommand: Sendable {
  /// Gives the cluster its id; refused (INCONSISTENT_CLUSTER_ID) when it has another.
  case createCluster(id: String)
  /// A broker has started; any epoch in the registration is replaced.
  case registerBroker(BrokerRegistration)
  /// A broker is gone for good; refused (INVALID_REQUEST) while partitions live on it.
  case unregisterBroker(BrokerID)
  /// A broker came back after an unclean stop: every partition it leads gets a new leader epoch, so that clients and
  /// followers that saw records it lost notice (KIP-101, KIP-320).
  case bumpLeaderEpochs(BrokerID)
  /// Makes topics; refusals are in the response, topic by topic. Also what auto-creation asks, with -1 for the defaults.
  case createTopics(CreateTopicsRequest)
  /// Makes a topic of the broker's own, unless it is there.
  case createInternalTopic(InternalTopic)
  /// Deletes topics by name or id.
  case deleteTopics(DeleteTopicsRequest)
  /// Adds partitions to topics.
  case createPartitions(CreatePartitionsRequest)
  /// Replaces all dynamic configs of topics and brokers.
  case alterConfigs(AlterConfigsRequest)
  /// Changes single configs of topics and brokers (KIP-339).
  case incrementalAlterConfigs(IncrementalAlterConfigsRequest)
  /// Takes `count` producer ids for one broker to hand out (Kafka's AllocateProducerIds).
  case allocateProducerIDs(count: Int32)

  /// Whether partitions may come of it whose names others had before.
  package var makesPartitions: Bool {
    switch self {
    case .createTopics, .createInternalTopic, .createPartitions: true
    case .createCluster, .registerBroker, .unregisterBroker, .bumpLeaderEpochs, .deleteTopics, .alterConfigs,
      .incrementalAlterConfigs, .allocateProducerIDs:
      false
    }
  }
}

/// What a controller answers once the records of its decision are committed.
package enum ControllerReply: Sendable, Equatable {
  /// The cluster has this id.
  case clusterCreated(id: String)
  /// The broker's epoch from now on.
  case brokerRegistered(epoch: Int64)
  /// The broker is gone.
  case brokerUnregistered
  /// How many partitions the broker leads under a new epoch.
  case leaderEpochsBumped(partitionCount: Int)
  /// One result for each name, in the request's order.
  case createTopics(CreateTopicsResponse)
  /// The topic is there now; maybe it was before.
  case internalTopic(id: UUID)
  /// One result for each name or id; names of old versions come first.
  case deleteTopics(DeleteTopicsResponse)
  /// One result for each name, in the request's order.
  case createPartitions(CreatePartitionsResponse)
  /// One result for each resource, in the request's order.
  case alterConfigs(AlterConfigsResponse)
  /// One result for each resource, in the request's order.
  case incrementalAlterConfigs(IncrementalAlterConfigsResponse)
  /// `count` ids from `first` on are the asker's.
  case producerIDs(first: ProducerID, count: Int32)
}
