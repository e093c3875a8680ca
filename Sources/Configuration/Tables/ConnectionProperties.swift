/// What clients may ask of the broker's network side.
enum ConnectionProperties {
  static let rows: [BrokerProperty] = [
    .int(
      "socket.request.max.bytes", \.socketRequestMaxBytes, 104_857_600, .atLeast(1),
      "The largest request; a connection that sends a larger one is closed."),
    .int(
      "socket.listen.backlog.size", \.socketListenBacklogSize, 50, .atLeast(1),
      "How many connections may wait to be accepted."),
    BrokerProperty.int(
      "max.connections", \.maxConnections, 10_000, .atLeast(0), "How many connections there may be at once."
    ).clusterWide().insteadOf("2147483647"),
    BrokerProperty.int(
      "max.connections.per.ip", \.maxConnectionsPerIp, 8_000, .atLeast(0),
      "How many connections one client address may have at once."
    ).clusterWide().insteadOf("2147483647"),
    BrokerProperty.text(
      "max.connections.per.ip.overrides", .string, "", .syntax("a list of address:limit"),
      "Other limits than max.connections.per.ip for single client addresses."
    ).clusterWide(),
    .long(
      "connections.max.idle.ms", \.connectionsMaxIdleMs, 600_000, .any,
      "How long a connection may be idle before it is closed; negative: for ever."),
    BrokerProperty.long(
      "queued.max.request.bytes", \.queuedMaxRequestBytes, 268_435_456, .atLeast(1, or: -1),
      "How many bytes of requests may be in work before no more are read; -1 for no limit."
    ).insteadOf("-1"),
    .int(
      "fetch.max.bytes", \.fetchMaxBytes, 57_671_680, .atLeast(1024),
      "The most bytes that one answer to a fetch carries, whatever the client asks for."),
    .int(
      "max.incremental.fetch.session.cache.slots", \.maxIncrementalFetchSessionCacheSlots, 1000, .atLeast(0),
      "How many fetch sessions are remembered at once."),
    .int(
      "max.request.partition.size.limit", \.maxRequestPartitionSizeLimit, 2000, .atLeast(1),
      "How many partitions one answer to DescribeTopicPartitions names."),
    BrokerProperty.echo(
      "max.connection.creation.rate", .int, "2147483647", "How many connections may be opened a second."
    ).clusterWide(),
    .echo("queued.max.requests", .int, "500", "How many requests may wait for a thread; here bytes are counted."),
    .int(
      "request.timeout.ms", \.requestTimeoutMs, 30_000, .atLeast(1),
      "How long a broker waits for the answer to a request of its own to another broker, but for those that fetch."),
    .echo("socket.receive.buffer.bytes", .int, "102400", "The receive buffer of a socket."),
    .echo("socket.send.buffer.bytes", .int, "102400", "The send buffer of a socket."),
    .long(
      "socket.connection.setup.timeout.max.ms", \.socketConnectionSetupTimeoutMaxMs, 30_000, .atLeast(1),
      "The longest wait for a connection to another broker."),
    .long(
      "socket.connection.setup.timeout.ms", \.socketConnectionSetupTimeoutMs, 10_000, .atLeast(1),
      "The first wait for a connection to another broker; twice as long with each failure."),
    .echo(
      "fetch.purgatory.purge.interval.requests", .int, "1000",
      "How often answered fetches are swept from the waiting list."),
    .echo(
      "producer.purgatory.purge.interval.requests", .int, "1000",
      "How often answered produces are swept from the waiting list."),
    .echo(
      "delete.records.purgatory.purge.interval.requests", .int, "1",
      "How often answered DeleteRecords are swept from the waiting list."),
    .echo(
      "share.fetch.purgatory.purge.interval.requests", .int, "1000",
      "How often answered share fetches are swept from the waiting list."),
  ]
}
