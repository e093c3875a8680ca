internal import Primitives

/// What differs from seed to seed before anything happens.
package struct Knobs {
  package var brokerCount = 3
  package var shardCount = 1
  package var replicationFactor = 3
  package var minInsyncReplicas = 2
  package var isFlushedFirst = true
  package var segmentBytes = 1 << 20
  package var pageBytes = 4096
  package var sessionTimeoutMs: Int64 = 1500
  package var replicaLagTimeMaxMs = 1000
  package var fetchWaitMs = 100
  package var fetchBytes = 1 << 20
  package var snapshotNodeCount: Int64 = 1000
  package var partitionCount: Int32 = 2
  package var producerCount = 3
  package var keeperCount = 1
  package var memberCount = 2
  package var hasFleetingTopic = false
  /// Whether losses are kept to what the configuration promises to survive. Without it only agreement and sanity are checked.
  package var hasBudget = true
  /// Whether replicas may lead that are not in sync; only where nothing is promised.
  package var mayLeadUncleanly = false
  package var faultMs = 5000
  /// Whether the faults that came last are among those to draw from: a seed that found something before keeps its own.
  package var hasLaterFaults = true

  package init() {}

  init(_ random: SimulationRandom) {
    shardCount = random.pick([1, 1, 2])
    brokerCount = random.pick([3, 3, 3, 4])
    replicationFactor = random.pick([3, 3, 3, 2, 1])
    minInsyncReplicas = min(replicationFactor, random.pick([2, 2, 1]))
    isFlushedFirst = random.chance(percent: 50)
    segmentBytes = random.pick([1 << 20, 4096, 1024])
    pageBytes = random.pick([4096, 512])
    sessionTimeoutMs = Int64(random.pick([600, 1500, 3000]))
    replicaLagTimeMaxMs = random.pick([300, 1000, 3000])
    fetchWaitMs = random.pick([50, 200, 500])
    fetchBytes = random.pick([1 << 20, 2000, 300])
    snapshotNodeCount = Int64(random.pick([1000, 8]))
    partitionCount = Int32(1 + random.below(3))
    producerCount = 1 + random.below(4)
    keeperCount = random.below(3)
    memberCount = random.pick([0, 2, 3])
    hasFleetingTopic = random.chance(percent: 30)
    hasBudget = !random.chance(percent: 15)
    mayLeadUncleanly = !hasBudget && random.chance(percent: 50)
    faultMs = random.pick([2500, 4000, 6000])
  }

  package var text: String {
    "\(brokerCount) brokers of \(shardCount) shards, replication factor \(replicationFactor), min.insync.replicas "
      + "\(minInsyncReplicas), durability \(isFlushedFirst ? "fsync" : "replicated"), segments \(segmentBytes), session "
      + "\(sessionTimeoutMs) ms, lag \(replicaLagTimeMaxMs) ms, fetch \(fetchBytes) bytes in \(fetchWaitMs) ms, "
      + "\(partitionCount) partitions, \(producerCount) producers, \(keeperCount) committers, \(memberCount) members, "
      + "\(hasFleetingTopic ? "a topic that comes and goes, " : "")\(hasBudget ? "within" : "without") budget"
      + (mayLeadUncleanly ? ", unclean leaders" : "")
  }

  func settings(of broker: BrokerID) -> [(name: String, value: String)] {
    [
      ("unclean.leader.election.enable", mayLeadUncleanly ? "true" : "false"),
      ("node.id", "\(broker.value)"), ("log.dirs", Machine.directory), ("zookeeper.connect", "ensemble:2181/ottla"),
      ("zookeeper.session.timeout.ms", "\(sessionTimeoutMs)"), ("durability", isFlushedFirst ? "fsync" : "replicated"),
      ("default.replication.factor", "\(replicationFactor)"), ("min.insync.replicas", "\(minInsyncReplicas)"),
      ("log.segment.bytes", "\(segmentBytes)"), ("replica.lag.time.max.ms", "\(replicaLagTimeMaxMs)"),
      ("replica.fetch.wait.max.ms", "\(min(fetchWaitMs, replicaLagTimeMaxMs / 2))"),
      ("replica.fetch.max.bytes", "\(fetchBytes)"), ("replica.fetch.backoff.ms", "50"),
      ("replica.socket.timeout.ms", "1000"), ("request.timeout.ms", "1000"), ("auto.create.topics.enable", "false"),
      ("offsets.topic.num.partitions", "2"), ("offsets.topic.segment.bytes", "\(segmentBytes)"),
      ("offsets.topic.replication.factor", "\(replicationFactor)"),
      ("log.cleaner.backoff.ms", "3600000"), ("log.retention.ms", "-1"),
      ("group.initial.rebalance.delay.ms", "0"), ("group.min.session.timeout.ms", "100"),
      ("socket.connection.setup.timeout.ms", "500"), ("controlled.shutdown.max.retries", "5"),
      ("controlled.shutdown.retry.backoff.ms", "100"), ("ottla.disk.free.bytes.low", "0"),
      ("ottla.disk.free.bytes.min", "0"), ("leader.imbalance.check.interval.seconds", "2"),
      ("log.flush.offset.checkpoint.interval.ms", "1000"),
    ]
  }
}
