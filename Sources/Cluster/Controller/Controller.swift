package import Configuration
internal import KafkaProtocol
package import Primitives

/// Decides every change of the cluster's metadata. Its log is the metadata log; one broker at a time runs it.
///
/// `decide` is pure: random topic ids and placements come from the seed and the image's offset. Errors of single topics and
/// resources are in the responses; only what concerns a whole command is thrown.
package struct Controller: ReplicatedStateMachine, Sendable {
  /// The metadata that was replayed.
  package private(set) var image: ClusterImage
  /// The config the broker started with: defaults, and what may be done.
  package var config: BrokerConfig { didSet { effectiveConfig = image.effectiveConfig(of: config) } }
  /// `config` with the dynamic configs of the image on top. Kept, for making it takes longer than most decisions.
  private(set) var effectiveConfig: BrokerConfig
  /// What one request may ask for.
  package var limits: ControllerLimits
  private let randomSeed: UInt64
  #if DEBUG
    /// The bug of the past that this controller is to have.
    package var mutation: Mutation?
  #endif

  /// - Parameter randomSeed: drawn anew from a random source each time a controller is made.
  package init(
    image: ClusterImage = ClusterImage(), config: BrokerConfig, randomSeed: UInt64,
    limits: ControllerLimits = ControllerLimits()
  ) {
    self.image = image
    self.config = config
    effectiveConfig = image.effectiveConfig(of: config)
    self.randomSeed = randomSeed
    self.limits = limits
  }

  /// What `command` leads to.
  ///
  /// - Throws: what concerns a whole command: a cluster id that differs, a broker that cannot go or is not the one it says
  ///   it is, producer ids used up, an internal topic that cannot be placed.
  package func decide(
    _ command: ControllerCommand, at now: Timestamp
  ) throws(KafkaError) -> Decision<MetadataRecord, ControllerReply> {
    switch command {
    case .createCluster(let id): try createCluster(id)
    case .brokersPresent(let present): settleBrokers(present)
    case .brokerHeartbeat(let request): try brokerHeartbeat(request)
    case .assignReplicasToDirs(let request): try assignReplicasToDirs(request)
    case .unregisterBroker(let id): try unregisterBroker(id)
    case .alterPartition(let request): try alterPartition(request)
    case .electLeaders(let request): try electLeaders(request)
    case .balanceLeaders: balanceLeaders()
    case .alterPartitionReassignments(let request): alterPartitionReassignments(request)
    case .createTopics(let request): createTopics(request)
    case .createInternalTopic(let topic): try createInternalTopic(topic)
    case .deleteTopics(let request): deleteTopics(request)
    case .createPartitions(let request): createPartitions(request)
    case .alterConfigs(let request): alterConfigs(request)
    case .incrementalAlterConfigs(let request): incrementalAlterConfigs(request)
    case .allocateProducerIDs(let count): try allocateProducerIDs(count)
    case .producerIDBlock(let request): try allocateProducerIDs(request)
    }
  }

  /// Takes in one record of the metadata log.
  package mutating func replay(_ record: MetadataRecord, at offset: Offset) {
    image.replay(record, at: offset)
    if case .config(let record) = record, record.resourceType == ConfigResourceType.broker.rawValue {
      effectiveConfig = image.effectiveConfig(of: config)
    }
  }

  /// Forgets everything: a snapshot comes, which takes the place of what was replayed.
  package mutating func restart() {
    image = ClusterImage()
    effectiveConfig = image.effectiveConfig(of: config)
  }

  /// The random numbers of a decision made now.
  var random: DecisionRandom { DecisionRandom(seed: randomSeed, offset: image.nextOffset) }
}
