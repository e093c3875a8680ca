/// Kafka's own metadata quorum. Here the coordination service keeps the metadata.
enum QuorumProperties {
  static let rows: [BrokerProperty] = [
    .echo("process.roles", .list, "", "Whether a Kafka process is a broker, a controller or both."),
    .echo("broker.heartbeat.interval.ms", .int, "2000", "How often a broker tells the controller that it lives."),
    .echo("broker.session.timeout.ms", .int, "9000", "When a silent broker counts as gone."),
    .echo("initial.broker.registration.timeout.ms", .int, "60000", "How long a broker tries to register."),
    .echo("controller.quorum.append.linger.ms", .int, "25", "How long the quorum's leader gathers records."),
    .echo("controller.quorum.bootstrap.servers", .list, "", "Addresses at which to find the quorum."),
    .echo("controller.quorum.election.backoff.max.ms", .int, "1000", "The longest pause between elections."),
    .echo("controller.quorum.election.timeout.ms", .int, "1000", "How long an election may take."),
    .echo("controller.quorum.fetch.timeout.ms", .int, "2000", "When a silent leader is replaced."),
    .echo("controller.quorum.request.timeout.ms", .int, "2000", "How long a request in the quorum may take."),
    .echo("controller.quorum.retry.backoff.ms", .int, "20", "The pause before such a request is tried again."),
    .echo("controller.quorum.voters", .list, "", "The members of the quorum."),
    .echo("controller.quota.window.num", .int, "11", "Samples a quota of topic changes is measured over."),
    .echo("controller.quota.window.size.seconds", .int, "1", "The length of such a sample."),
    .echo("controller.socket.timeout.ms", .int, "30000", "How long to wait for the controller's answer."),
    .echo("metadata.log.dir", .string, nil, "The folder of the quorum's log."),
    .echo(
      "metadata.log.max.record.bytes.between.snapshots", .long, "20971520",
      "How many bytes of metadata come between two snapshots."),
    .echo("metadata.log.max.snapshot.interval.ms", .long, "3600000", "The longest time between two snapshots."),
    .echo("metadata.log.segment.bytes", .int, "1073741824", "The segment size of the quorum's log."),
    .echo("metadata.log.segment.ms", .long, "604800000", "The age at which such a segment ends."),
    .echo("metadata.max.idle.interval.ms", .int, "500", "How often an idle quorum writes an empty record."),
    .echo("metadata.max.retention.bytes", .long, "104857600", "The size from which old metadata goes."),
    .echo("metadata.max.retention.ms", .long, "604800000", "The age from which old metadata goes."),
  ]
}
