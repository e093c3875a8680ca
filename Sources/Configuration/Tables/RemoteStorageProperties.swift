/// Tiered storage.
enum RemoteStorageProperties {
  static let rows: [BrokerProperty] = [
    .echo("remote.log.storage.system.enable", .boolean, "false", "Whether there is tiered storage at all."),
    dynamic("log.local.retention.bytes", .long, "-2", "The value of local.retention.bytes for other topics."),
    dynamic("log.local.retention.ms", .long, "-2", "The value of local.retention.ms for other topics."),
    dynamic("remote.fetch.max.wait.ms", .int, "500", "How long a fetch waits for remote data."),
    dynamic("remote.list.offsets.request.timeout.ms", .long, "30000", "How long ListOffsets waits for it."),
    dynamic("remote.log.index.file.cache.total.size.bytes", .long, "1073741824", "The cache of remote indexes."),
    dynamic("remote.log.manager.copier.thread.pool.size", .int, "10", "Threads that copy segments away."),
    dynamic(
      "remote.log.manager.copy.max.bytes.per.second", .long, "9223372036854775807", "Their bytes a second."),
    .echo("remote.log.manager.copy.quota.window.num", .int, "11", "Samples that limit is measured over."),
    .echo("remote.log.manager.copy.quota.window.size.seconds", .int, "1", "The length of such a sample."),
    dynamic("remote.log.manager.expiration.thread.pool.size", .int, "10", "Threads that delete remote segments."),
    dynamic(
      "remote.log.manager.fetch.max.bytes.per.second", .long, "9223372036854775807",
      "Bytes a second that may be read from remote storage."),
    .echo("remote.log.manager.fetch.quota.window.num", .int, "11", "Samples that limit is measured over."),
    .echo("remote.log.manager.fetch.quota.window.size.seconds", .int, "1", "The length of such a sample."),
    .echo("remote.log.manager.task.interval.ms", .long, "30000", "How often the tasks of a partition run."),
    .echo("remote.log.manager.thread.pool.size", .int, "2", "Threads for the tasks of all partitions."),
    .echo("remote.log.metadata.custom.metadata.max.bytes", .int, "128", "The plugin's own data of a segment."),
    .echo(
      "remote.log.metadata.manager.class.name", .string,
      "org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager",
      "The Java class that remembers remote segments."),
    .echo("remote.log.metadata.manager.class.path", .string, nil, "Where that class is found."),
    .echo("remote.log.metadata.manager.impl.prefix", .string, "rlmm.config.", "The prefix of its properties."),
    .echo("remote.log.metadata.manager.listener.name", .string, nil, "The listener it uses."),
    .echo("remote.log.reader.max.pending.tasks", .int, "100", "How many remote reads may wait."),
    dynamic("remote.log.reader.threads", .int, "10", "Threads that read from remote storage."),
    .echo("remote.log.storage.manager.class.name", .string, nil, "The Java class that stores segments."),
    .echo("remote.log.storage.manager.class.path", .string, nil, "Where that class is found."),
    .echo("remote.log.storage.manager.impl.prefix", .string, "rsm.config.", "The prefix of its properties."),
  ]

  private static func dynamic(
    _ name: String, _ type: ConfigType, _ defaultValue: String, _ documentation: String
  ) -> BrokerProperty {
    BrokerProperty.echo(name, type, defaultValue, documentation).clusterWide()
  }
}
