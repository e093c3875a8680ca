/// The machinery of compaction.
enum CleanerProperties {
  static let rows: [BrokerProperty] = [
    .echo("log.cleaner.enable", .boolean, "true", "Whether topics are compacted at all."),
    dynamic("log.cleaner.backoff.ms", .long, "15000", "How long the cleaner rests when there is nothing to do."),
    dynamic("log.cleaner.dedupe.buffer.size", .long, "134217728", "The memory for the keys of a compaction."),
    dynamic("log.cleaner.io.buffer.load.factor", .double, "0.9", "How full that memory may be."),
    dynamic("log.cleaner.io.buffer.size", .int, "524288", "The memory for reading and writing."),
    dynamic(
      "log.cleaner.io.max.bytes.per.second", .double, "1.7976931348623157E308",
      "Bytes a second that compaction may read and write."),
    dynamic("log.cleaner.threads", .int, "1", "How many threads compact."),
  ]

  private static func dynamic(
    _ name: String, _ type: ConfigType, _ defaultValue: String, _ documentation: String
  ) -> BrokerProperty {
    BrokerProperty.echo(name, type, defaultValue, documentation).clusterWide()
  }
}
