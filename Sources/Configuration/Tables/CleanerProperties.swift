/// The machinery of compaction.
enum CleanerProperties {
  static let rows: [BrokerProperty] = [
    .boolean("log.cleaner.enable", \.logCleanerEnable, true, "Whether topics are compacted at all."),
    BrokerProperty.long(
      "log.cleaner.backoff.ms", \.logCleanerBackoffMs, 15_000, .atLeast(0),
      "How long the cleaner rests when there is nothing to do."
    ).clusterWide(),
    BrokerProperty.long(
      "log.cleaner.dedupe.buffer.size", \.logCleanerDedupeBufferSize, 134_217_728, .atLeast(1 << 20),
      "The memory for the keys of compactions, shared out among the threads; a key takes 24 bytes."
    ).clusterWide(),
    BrokerProperty.double(
      "log.cleaner.io.buffer.load.factor", \.logCleanerIoBufferLoadFactor, "0.9", .reals(0.1...0.95),
      "How full that memory may be: more keys fit in, and each takes longer to find."
    ).clusterWide(),
    BrokerProperty.echo(
      "log.cleaner.io.buffer.size", .int, "524288", "The memory for reading and writing."
    ).clusterWide(),
    BrokerProperty.double(
      "log.cleaner.io.max.bytes.per.second", \.logCleanerIoMaxBytesPerSecond, "1.7976931348623157E308",
      .reals(1...Double.greatestFiniteMagnitude), "Bytes a second that compaction may read and write."
    ).clusterWide(),
    BrokerProperty.int(
      "log.cleaner.threads", \.logCleanerThreads, 1, .between(0, 64),
      "How many logs are compacted at the same time; 0 for none."
    ).clusterWide(),
  ]
}
