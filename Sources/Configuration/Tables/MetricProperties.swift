/// Quotas, metrics, and the sizes of Kafka's thread pools.
enum MetricProperties {
  static let rows: [BrokerProperty] = [
    .echo("client.quota.callback.class", .class, nil, "The Java class that computes client quotas."),
    .echo("quota.window.num", .int, "11", "Samples a client's quota is measured over."),
    .echo("quota.window.size.seconds", .int, "1", "The length of such a sample."),
    .echo("kafka.metrics.polling.interval.secs", .int, "10", "How often Kafka's old metrics are polled."),
    .echo("kafka.metrics.reporters", .list, "", "Java classes that report Kafka's old metrics."),
    dynamic(
      "metric.reporters", .list, "org.apache.kafka.common.metrics.JmxReporter", "Java classes that report metrics."),
    .echo("metrics.num.samples", .int, "2", "Samples a metric is measured over."),
    .echo("metrics.recording.level", .string, "INFO", "Which metrics are recorded."),
    .echo("metrics.sample.window.ms", .long, "30000", "The length of a metric's sample."),
    .echo("telemetry.max.bytes", .int, "1048576", "The most metrics that a client may push at once."),
    dynamic("background.threads", .int, "10", "Threads for work in the background."),
    dynamic("num.io.threads", .int, "8", "Threads that work on requests; here ottla.shards."),
    dynamic("num.network.threads", .int, "3", "Threads that read and write sockets; here ottla.shards."),
  ]

  private static func dynamic(
    _ name: String, _ type: ConfigType, _ defaultValue: String, _ documentation: String
  ) -> BrokerProperty {
    BrokerProperty.echo(name, type, defaultValue, documentation).clusterWide()
  }
}
