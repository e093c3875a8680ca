/// Where and how logs are kept, beside what topics decide.
enum LogProperties {
  static let rows: [BrokerProperty] = [
    BrokerProperty.text(
      "log.dirs", .string, "./ottla-data", .syntax("a list of folders"),
      "The folders that hold the data, separated by commas; they are made where they are missing."
    ).insteadOf("the value of log.dir"),
    BrokerProperty.text(
      "log.dir", .string, nil, .syntax("a folder"), "The folder that holds the data where log.dirs is not set."
    ).insteadOf("/tmp/kafka-logs"),
    .long(
      "log.retention.check.interval.ms", \.logRetentionCheckIntervalMs, 300_000, .atLeast(1),
      "How often logs are looked at for segments to delete."),
    .int(
      "log.flush.offset.checkpoint.interval.ms", \.logFlushOffsetCheckpointIntervalMs, 60_000, .atLeast(0),
      "How often the point up to which logs are flushed is written down: what a start after a crash need not check."),
    BrokerProperty.text(
      "log.flush.start.offset.checkpoint.interval.ms", .int, "60000", .atLeast(0),
      "How often the first offset of each log is written down."
    ).echoed(),
    BrokerProperty.int(
      "producer.id.expiration.ms", \.producerIdExpirationMs, 86_400_000, .atLeast(1),
      "How long a partition remembers a producer that writes no more."
    ).clusterWide(),
    .echo("log.dir.failure.timeout.ms", .long, "30000", "How long a folder may fail before the broker stops."),
    BrokerProperty.echo(
      "num.recovery.threads.per.data.dir", .int, "2", "How many threads check the logs of a folder at the start."
    ).clusterWide(),
    .echo("num.replica.alter.log.dirs.threads", .int, nil, "How many threads move replicas between folders."),
  ]
}
