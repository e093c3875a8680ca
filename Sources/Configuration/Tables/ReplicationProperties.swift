/// How partitions are copied between brokers.
enum ReplicationProperties {
  static let rows: [BrokerProperty] = [
    BrokerProperty.text(
      "replica.lag.time.max.ms", .long, "30000", .atLeast(1),
      "How long a follower may lag behind before it counts as out of sync."
    ).echoed(),
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
    .echo(
      "leader.imbalance.check.interval.seconds", .long, "300",
      "How often to look for leaders that are not the preferred replica."),
    .echo("controlled.shutdown.enable", .boolean, "true", "Hand leadership over before stopping."),
    .echo("replica.fetch.backoff.ms", .int, "1000", "How long a follower waits after a failed fetch."),
    .echo("replica.fetch.max.bytes", .int, "1048576", "How many bytes a follower asks for of each partition."),
    .echo("replica.fetch.min.bytes", .int, "1", "How many bytes a follower waits for."),
    .echo(
      "replica.fetch.response.max.bytes", .int, "10485760", "How many bytes a follower asks for in one fetch."),
    .echo("replica.fetch.wait.max.ms", .int, "500", "How long a follower's fetch may wait at the leader."),
    .echo("replica.selector.class", .string, nil, "Which replica consumers are told to read from."),
    .echo("replica.socket.receive.buffer.bytes", .int, "65536", "The receive buffer of a follower's socket."),
    .echo("replica.socket.timeout.ms", .int, "30000", "How long a follower waits for the leader's answer."),
    BrokerProperty.echo(
      "num.replica.fetchers", .int, "1", "How many threads fetch from each leader."
    ).clusterWide(),
    BrokerProperty.echo(
      "leader.replication.throttled.rate", .long, "9223372036854775807",
      "Bytes a second that leaders may send for throttled replicas."
    ).perBroker(),
    BrokerProperty.echo(
      "follower.replication.throttled.rate", .long, "9223372036854775807",
      "Bytes a second that followers may fetch for throttled replicas."
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
