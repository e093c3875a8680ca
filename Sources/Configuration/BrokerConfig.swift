package import Primitives

/// The configuration of a broker, all values parsed and checked (Kafka's `KafkaConfig`).
///
/// Each property that is kept is a field with Kafka's name, lower-camelled; those that stand behind topic properties are
/// in `topicDefaults`. Times are in the unit of the name's last word, sizes in bytes. `BrokerConfig()` is all defaults;
/// `ConfigurationSources` loads one; `applying(dynamicBroker:dynamicDefault:)` makes the next.
package struct BrokerConfig: Sendable, Equatable {
  // -- the broker
  /// `node.id` (or `broker.id`).
  package internal(set) var nodeId = BrokerID.none
  package internal(set) var brokerRack: String?

  // -- listeners
  /// Where to listen, in the order given, without the listeners that are named in `controller.listener.names`.
  package internal(set) var listeners: [ListenerConfig] = []
  /// The addresses to tell clients; nil answers Metadata with the address the client came in on.
  package internal(set) var advertisedListeners: [ListenerConfig]?

  // -- the cluster
  /// Where the ensemble is; nil for a broker that is alone.
  package internal(set) var zookeeperConnect: ZooKeeperConnect?
  package internal(set) var zookeeperSessionTimeoutMs: Int32 = 0
  /// `user:password` of ZooKeeper's digest scheme.
  package internal(set) var zookeeperLogin: String?
  /// How long a start waits for the ensemble; what `zookeeperSessionTimeoutMs` is where nobody set it.
  package internal(set) var zookeeperConnectionTimeoutMs: Int32 = 0
  /// The name, in capitals, of the listener at which brokers reach one another.
  package internal(set) var interBrokerListenerName = ""
  /// How long requests to other brokers may take, but for fetches of followers.
  package internal(set) var requestTimeoutMs: Int32 = 0
  package internal(set) var replicaSocketTimeoutMs: Int32 = 0
  package internal(set) var socketConnectionSetupTimeoutMs: Int64 = 0
  package internal(set) var socketConnectionSetupTimeoutMaxMs: Int64 = 0
  package internal(set) var controlledShutdownEnable = false
  package internal(set) var controlledShutdownMaxRetries: Int32 = 0
  package internal(set) var controlledShutdownRetryBackoffMs: Int64 = 0
  /// How long a broker that stops waits, all in all, until others lead what it led.
  package var controlledShutdownMsMax: Int64 {
    let (product, overflows) = Int64(controlledShutdownMaxRetries).multipliedReportingOverflow(
      by: controlledShutdownRetryBackoffMs)
    return overflows ? 600_000 : min(product, 600_000)
  }
  package internal(set) var leaderImbalanceCheckIntervalSeconds: Int64 = 0

  // -- connections and requests
  package internal(set) var socketRequestMaxBytes: Int32 = 0
  package internal(set) var socketListenBacklogSize: Int32 = 0
  package internal(set) var maxConnections: Int32 = 0
  package internal(set) var maxConnectionsPerIp: Int32 = 0
  /// `max.connections.per.ip.overrides`: the limit of single addresses.
  package internal(set) var maxConnectionsPerIpOverrides: [String: Int32] = [:]
  /// Negative: connections are never closed for idleness.
  package internal(set) var connectionsMaxIdleMs: Int64 = 0
  /// Bytes of requests being worked on from which no more are read; -1 for no limit.
  package internal(set) var queuedMaxRequestBytes: Int64 = 0
  package internal(set) var fetchMaxBytes: Int32 = 0
  package internal(set) var maxIncrementalFetchSessionCacheSlots: Int32 = 0
  package internal(set) var maxRequestPartitionSizeLimit: Int32 = 0

  // -- topics
  package internal(set) var autoCreateTopicsEnable = false
  package internal(set) var deleteTopicEnable = false
  package internal(set) var numPartitions: Int32 = 0
  package internal(set) var defaultReplicationFactor: Int32 = 0

  // -- replication
  package internal(set) var replicaLagTimeMaxMs: Int64 = 0
  package internal(set) var replicaFetchBackoffMs: Int32 = 0
  /// Bytes that a follower asks for of each partition, and in one fetch; the first batch comes whole, however large.
  package internal(set) var replicaFetchMaxBytes: Int32 = 0
  /// Bytes a second of throttled replicas; the largest number is no limit.
  package internal(set) var leaderReplicationThrottledRate: Int64 = 0
  package internal(set) var followerReplicationThrottledRate: Int64 = 0
  package internal(set) var replicaFetchResponseMaxBytes: Int32 = 0
  package internal(set) var replicaFetchMinBytes: Int32 = 0
  package internal(set) var replicaFetchWaitMaxMs: Int32 = 0
  /// `replica.selector.class`: which replica consumers are told to read from.
  package internal(set) var replicaSelector = ReplicaSelector.leader
  // -- leaders
  package internal(set) var autoLeaderRebalanceEnable = false
  /// 0 to 100.
  package internal(set) var leaderImbalancePerBrokerPercentage: Int32 = 0

  // -- logs
  /// The data folders, at least one (`log.dirs`, else `log.dir`).
  package internal(set) var logDirs: [String] = []
  package internal(set) var logRetentionCheckIntervalMs: Int64 = 0
  package internal(set) var logFlushOffsetCheckpointIntervalMs: Int32 = 0
  package internal(set) var producerIdExpirationMs: Int32 = 0

  // -- compaction
  package internal(set) var logCleanerEnable = false
  package internal(set) var logCleanerBackoffMs: Int64 = 0
  /// Bytes for the keys of all compactions that are under way at the same time.
  package internal(set) var logCleanerDedupeBufferSize: Int64 = 0
  package internal(set) var logCleanerIoBufferLoadFactor = 0.0
  package internal(set) var logCleanerIoMaxBytesPerSecond = 0.0
  package internal(set) var logCleanerThreads: Int32 = 0

  // -- consumer groups
  package internal(set) var groupInitialRebalanceDelayMs: Int32 = 0
  package internal(set) var groupMinSessionTimeoutMs: Int32 = 0
  package internal(set) var offsetsCommitTimeoutMs: Int32 = 0
  package internal(set) var groupMaxSessionTimeoutMs: Int32 = 0
  package internal(set) var groupMaxSize: Int32 = 0
  package internal(set) var offsetMetadataMaxBytes: Int32 = 0
  package internal(set) var offsetsRetentionMinutes: Int32 = 0
  package internal(set) var offsetsRetentionCheckIntervalMs: Int64 = 0
  package internal(set) var offsetsTopicNumPartitions: Int32 = 0
  package internal(set) var offsetsTopicReplicationFactor: Int16 = 0
  package internal(set) var offsetsTopicSegmentBytes: Int32 = 0

  // -- our own
  /// How many shards to run; 0 for one a processor.
  package internal(set) var ottlaShards: Int32 = 0
  package internal(set) var ottlaOpenFilesMax: Int32 = 0
  package internal(set) var ottlaPartitionsMax: Int32 = 0
  package internal(set) var ottlaTopicPartitionsMax: Int32 = 0
  package internal(set) var ottlaPartitionProducersMax: Int32 = 0

  package internal(set) var ottlaFlushBytesMax: Int64 = 0
  package internal(set) var ottlaFlushMsMax: Int32 = 0
  package internal(set) var ottlaFlushThreads: Int32 = 0
  package internal(set) var ottlaScrubIntervalHours: Int32 = 0
  package internal(set) var ottlaScrubBytesPerSecondMax: Int64 = 0
  /// Negative: derived from the size of the file system.
  package internal(set) var ottlaDiskFreeBytesLow: Int64 = 0
  package internal(set) var ottlaDiskFreeBytesMin: Int64 = 0

  /// The configuration of a topic that sets nothing itself; the *.ms, *.minutes and *.hours of one thing are combined as
  /// Kafka does it.
  package internal(set) var topicDefaults = TopicConfig()

  /// What was set, by source: for DescribeConfigs, and to make the next configuration.
  var layers = ConfigLayers()

  /// A broker where nobody sets anything.
  package init() {
    self.init(trusting: ConfigLayers())
  }

  /// The fields empty: `assemble` fills them.
  init(layers: ConfigLayers) {
    self.layers = layers
  }
}
