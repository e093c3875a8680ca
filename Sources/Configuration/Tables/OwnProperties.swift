/// Limits that Kafka does not have.
enum OwnProperties {
  static let rows: [BrokerProperty] = [
    .int(
      "ottla.shards", \.ottlaShards, 0, .between(0, 64),
      "How many shards, each with a thread of its own, do the work; 0 for one a processor, at most 64."),
    .int(
      "ottla.open.files.max", \.ottlaOpenFilesMax, 4096, .atLeast(16),
      "How many segment files are held open at once."),
    .int(
      "ottla.partitions.max", \.ottlaPartitionsMax, 200_000, .atLeast(1),
      "How many partitions the cluster may have in all."),
    .int(
      "ottla.topic.partitions.max", \.ottlaTopicPartitionsMax, 10_000, .atLeast(1),
      "How many partitions one topic may have."),
    .int(
      "ottla.partition.producers.max", \.ottlaPartitionProducersMax, 100_000, .atLeast(1),
      "How many idempotent producers one partition remembers."),
    .long(
      "ottla.flush.bytes.max", \.ottlaFlushBytesMax, 256 << 20, .atLeast(1 << 20),
      "How many bytes of a data folder may wait to be flushed, whoever waits for them."),
    .int(
      "ottla.flush.ms.max", \.ottlaFlushMsMax, 30_000, .atLeast(100),
      "How long any record may wait to be flushed, whoever waits for it; looked at once a second."),
    .int(
      "ottla.flush.threads", \.ottlaFlushThreads, 4, .between(1, 64),
      "How many files of a data folder are flushed at the same time."),
    .int(
      "ottla.scrub.interval.hours", \.ottlaScrubIntervalHours, 168, .atLeast(0),
      "How often closed segments are read again, to find what has rotted on the disk; 0 for never."),
    .long(
      "ottla.scrub.bytes.per.second.max", \.ottlaScrubBytesPerSecondMax, 16 << 20, .atLeast(1 << 10),
      "How fast that goes at most."),
    .long(
      "ottla.disk.free.bytes.low", \.ottlaDiskFreeBytesLow, -1, .atLeast(-1),
      "Free bytes of a data folder's file system below which the broker warns; -1 for a tenth of it, at most 10 GiB."),
    .long(
      "ottla.disk.free.bytes.min", \.ottlaDiskFreeBytesMin, -1, .atLeast(-1),
      "Free bytes of a data folder's file system below which its partitions take no more records until there is room "
        + "again; -1 for a fiftieth of it, at most 1 GiB."),
  ]
}
