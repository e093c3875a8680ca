/// How partitions are copied between brokers.
enum ReplicationProperties {
  static let rows: [BrokerProperty] = [
    .long(
      "replica.lag.time.max.ms", \.replicaLagTimeMaxMs, 30_000, .atLeast(1),
      "How long a follower may lag behind before it counts as out of sync."),
    BrokerProperty.text(
      "replica.high.watermark.checkpoint.interval.ms", .long, "5000", .atLeast(1),
      "How often the high watermarks are written down."
    ).echoed(),
    .boolean(
      "auto.leader.rebalance.enable", \.autoLeaderRebalanceEnable, true,
      "Whether leadership is given back to the preferred replicas."),
    .int(
      "leader.imbalance.per.broker.percentage", \.leaderImbalancePerBrokerPercentage, 10, .between(0, 100),
      "How much of the partitions that a broker is preferred for others may lead before they are given back to it."),
    .long(
      "leader.imbalance.check.interval.seconds", \.leaderImbalanceCheckIntervalSeconds, 300, .between(1, 1 << 31),
      "How often the controller looks for leaders that are not the preferred replica."),
    .boolean(
      "controlled.shutdown.enable", \.controlledShutdownEnable, true,
      "Whether a broker that stops hands its leaderships over first."),
    .int(
      "controlled.shutdown.max.retries", \.controlledShutdownMaxRetries, 3, .atLeast(0),
      "With controlled.shutdown.retry.backoff.ms: how long a broker that stops waits for replicas that may still take over; then it stops anyway."
    ),
    .long(
      "controlled.shutdown.retry.backoff.ms", \.controlledShutdownRetryBackoffMs, 5000, .atLeast(1),
      "So often as controlled.shutdown.max.retries says, the time for which a broker that stops waits; it asks more often."
    ),
    .int(
      "replica.fetch.backoff.ms", \.replicaFetchBackoffMs, 1000, .atLeast(0),
      "How long a follower waits after a failed fetch."),
    .int(
      "replica.fetch.max.bytes", \.replicaFetchMaxBytes, 1_048_576, .atLeast(0),
      "How many bytes a follower asks for of each partition."),
    .int("replica.fetch.min.bytes", \.replicaFetchMinBytes, 1, .any, "How many bytes a follower waits for."),
    .int(
      "replica.fetch.response.max.bytes", \.replicaFetchResponseMaxBytes, 10_485_760, .atLeast(0),
      "How many bytes a follower asks for in one fetch."),
    .int(
      "replica.fetch.wait.max.ms", \.replicaFetchWaitMaxMs, 500, .any,
      "How long a follower's fetch may wait at the leader."),
    BrokerProperty(
      "replica.selector.class", .string, nil, .oneOf(ReplicaSelector.allCases.map(\.rawValue)),
      "Which replica consumers are told to read from: the leader, or one in their own rack."
    ) { target, value in
      guard case .string(let name)? = value else {
        target.replicaSelector = .leader
        return
      }
      target.replicaSelector = ReplicaSelector(rawValue: name) ?? .leader
    },
    .echo("replica.socket.receive.buffer.bytes", .int, "65536", "The receive buffer of a follower's socket."),
    .int(
      "replica.socket.timeout.ms", \.replicaSocketTimeoutMs, 30_000, .atLeast(1),
      "How long a follower waits for the leader's answer to a fetch; longer than replica.fetch.wait.max.ms."),
    BrokerProperty.echo(
      "num.replica.fetchers", .int, "1",
      "How many threads fetch from each leader. Here each shard has one connection to each leader, for the partitions that "
        + "it owns: ottla.shards says how many that are."
    ).clusterWide(),
    BrokerProperty.long(
      "leader.replication.throttled.rate", \.leaderReplicationThrottledRate, .max, .atLeast(0),
      "Bytes a second that leaders may send to throttled replicas out of sync. Each shard has an equal part of it."
    ).perBroker(),
    BrokerProperty.long(
      "follower.replication.throttled.rate", \.followerReplicationThrottledRate, .max, .atLeast(0),
      "Bytes a second that followers may fetch for throttled replicas. Each shard has an equal part of it."
    ).perBroker(),
    BrokerProperty.echo(
      "replica.alter.log.dirs.io.max.bytes.per.second", .long, "9223372036854775807",
      "Bytes a second that may be moved between folders."
    ).perBroker(),
    .echo("replication.quota.window.num", .int, "11", "How many samples a replication quota is measured over."),
    .echo("replication.quota.window.size.seconds", .int, "1", "The length of such a sample."),
    .echo(
      "alter.log.dirs.replication.quota.window.num", .int, "11",
      "How many samples the quota of moves between folders is measured over."),
    .echo("alter.log.dirs.replication.quota.window.size.seconds", .int, "1", "The length of such a sample."),
  ]
}
