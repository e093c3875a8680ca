package import KafkaProtocol
package import Primitives

/// What a controller can be asked to do. Where the reply is a response of the protocol, refusals of single topics and
/// partitions are in it; what concerns the whole command is thrown.
package enum ControllerCommand: Sendable {
  /// Gives the cluster its id; refused (INCONSISTENT_CLUSTER_ID) when it has another.
  case createCluster(id: String)
  /// Exactly these brokers are alive. Those that are gone are fenced, those that are back are known anew, and the
  /// partitions get the leaders and in-sync replicas that are left (KIP-380, KIP-903, KIP-966).
  case brokersPresent([PresentBroker])
  /// A broker wants to know how it stands, or to stop: then it loses its leaderships and its places in the ISRs
  /// (KIP-841). Refused with BROKER_ID_NOT_REGISTERED, STALE_BROKER_EPOCH, or INVALID_REQUEST.
  case brokerHeartbeat(BrokerHeartbeatRequest)
  /// A broker says which of its replicas it cannot serve, or can again (KIP-858): those lead nothing and are in no ISR that
  /// has others, until it says otherwise or is started anew. Refused whole as a heartbeat is.
  case assignReplicasToDirs(AssignReplicasToDirsRequest)
  /// A broker is gone for good; refused (INVALID_REQUEST) while it is alive, or partitions live on it.
  case unregisterBroker(BrokerID)
  /// A leader wants another ISR (KIP-497). Refused whole with STALE_BROKER_EPOCH. Proposed members need the broker epochs
  /// of version 3 (KIP-903): without one a member is no eligible replica.
  case alterPartition(AlterPartitionRequest)
  /// Elects preferred or, where there is no leader, unclean ones (KIP-183, KIP-460).
  case electLeaders(ElectLeadersRequest)
  /// Gives leadership back to preferred replicas, at brokers that lack more of it than
  /// `leader.imbalance.per.broker.percentage`; nothing without `auto.leader.rebalance.enable`. For a timer.
  case balanceLeaders
  /// Starts, changes or cancels moves of replicas to other brokers (KIP-455).
  case alterPartitionReassignments(AlterPartitionReassignmentsRequest)
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
  /// Takes `count` producer ids for this broker to hand out.
  case allocateProducerIDs(count: Int32)
  /// The same, asked by another broker. Refused with BROKER_ID_NOT_REGISTERED or STALE_BROKER_EPOCH.
  case producerIDBlock(AllocateProducerIdsRequest)

  /// Whether partitions may come of it whose names others had before.
  package var makesPartitions: Bool {
    switch self {
    case .createTopics, .createInternalTopic, .createPartitions: true
    case .createCluster, .brokersPresent, .brokerHeartbeat, .assignReplicasToDirs, .unregisterBroker, .alterPartition,
      .electLeaders,
      .balanceLeaders, .alterPartitionReassignments, .deleteTopics, .alterConfigs, .incrementalAlterConfigs,
      .allocateProducerIDs, .producerIDBlock:
      false
    }
  }
}

/// What a controller answers once the records of its decision are committed.
package enum ControllerReply: Sendable, Equatable {
  /// The cluster has this id.
  case clusterCreated(id: String)
  /// Brokers that came, went or came back, and partitions that are otherwise for it.
  case brokersSettled(brokerCount: Int, partitionCount: Int)
  /// How the broker stands.
  case brokerHeartbeat(BrokerHeartbeatResponse)
  /// One result for each partition, in the request's order.
  case assignReplicasToDirs(AssignReplicasToDirsResponse)
  /// The broker is gone.
  case brokerUnregistered
  /// One result for each partition, in the request's order. NEW_LEADER_ELECTED where the ISR was taken, but ended a
  /// reassignment that moved leadership away.
  case alterPartition(AlterPartitionResponse)
  /// One result for each partition named; where all were meant, only for those that needed an election.
  case electLeaders(ElectLeadersResponse)
  /// How many partitions went back to their preferred leader.
  case leadersBalanced(partitionCount: Int)
  /// One result for each partition, in the request's order.
  case alterPartitionReassignments(AlterPartitionReassignmentsResponse)
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
  /// A block of them.
  case producerIDBlock(AllocateProducerIdsResponse)
}
