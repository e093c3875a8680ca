/// What Apache Kafka 4.0.0 answers to DescribeConfigs.
enum KafkaFacts {
  /// name | type | default | broker property behind it
  static let topic = """
    cleanup.policy | list | delete | log.cleanup.policy
    compression.gzip.level | int | -1 |
    compression.lz4.level | int | 9 |
    compression.type | string | producer |
    compression.zstd.level | int | 3 |
    delete.retention.ms | long | 86400000 | log.cleaner.delete.retention.ms
    file.delete.delay.ms | long | 60000 | log.segment.delete.delay.ms
    flush.messages | long | 9223372036854775807 | log.flush.interval.messages
    flush.ms | long | 9223372036854775807 |
    follower.replication.throttled.replicas | list |  |
    index.interval.bytes | int | 4096 | log.index.interval.bytes
    leader.replication.throttled.replicas | list |  |
    local.retention.bytes | long | -2 | log.local.retention.bytes
    local.retention.ms | long | -2 | log.local.retention.ms
    max.compaction.lag.ms | long | 9223372036854775807 | log.cleaner.max.compaction.lag.ms
    max.message.bytes | int | 1048588 | message.max.bytes
    message.timestamp.after.max.ms | long | 3600000 | log.message.timestamp.after.max.ms
    message.timestamp.before.max.ms | long | 9223372036854775807 | log.message.timestamp.before.max.ms
    message.timestamp.type | string | CreateTime | log.message.timestamp.type
    min.cleanable.dirty.ratio | double | 0.5 | log.cleaner.min.cleanable.ratio
    min.compaction.lag.ms | long | 0 | log.cleaner.min.compaction.lag.ms
    min.insync.replicas | int | 1 |
    preallocate | boolean | false | log.preallocate
    remote.log.copy.disable | boolean | false |
    remote.log.delete.on.disable | boolean | false |
    remote.storage.enable | boolean | false |
    retention.bytes | long | -1 | log.retention.bytes
    retention.ms | long | 604800000 |
    segment.bytes | int | 1073741824 | log.segment.bytes
    segment.index.bytes | int | 10485760 | log.index.size.max.bytes
    segment.jitter.ms | long | 0 |
    segment.ms | long | 604800000 |
    unclean.leader.election.enable | boolean | false |
    """

  /// name | type | default | static or dynamic | sensitive
  static let broker = """
    add.partitions.to.txn.retry.backoff.max.ms | int | 100 | static
    add.partitions.to.txn.retry.backoff.ms | int | 20 | static
    advertised.listeners | string | (set per broker) | static
    alter.config.policy.class.name | class | None | static
    alter.log.dirs.replication.quota.window.num | int | 11 | static
    alter.log.dirs.replication.quota.window.size.seconds | int | 1 | static
    authorizer.class.name | string |  | static
    auto.create.topics.enable | boolean | true | static
    auto.leader.rebalance.enable | boolean | true | static
    background.threads | int | 10 | dynamic
    broker.heartbeat.interval.ms | int | 2000 | static
    broker.id | int | -1 | static
    broker.rack | string | None | static
    broker.session.timeout.ms | int | 9000 | static
    client.quota.callback.class | class | None | static
    compression.gzip.level | int | -1 | dynamic
    compression.lz4.level | int | 9 | dynamic
    compression.type | string | producer | dynamic
    compression.zstd.level | int | 3 | dynamic
    connection.failed.authentication.delay.ms | int | 100 | static
    connections.max.idle.ms | long | 600000 | static
    connections.max.reauth.ms | long | 0 | static
    controlled.shutdown.enable | boolean | true | static
    controller.listener.names | string | (set per broker) | static
    controller.quorum.append.linger.ms | int | 25 | static
    controller.quorum.bootstrap.servers | list |  | static
    controller.quorum.election.backoff.max.ms | int | 1000 | static
    controller.quorum.election.timeout.ms | int | 1000 | static
    controller.quorum.fetch.timeout.ms | int | 2000 | static
    controller.quorum.request.timeout.ms | int | 2000 | static
    controller.quorum.retry.backoff.ms | int | 20 | static
    controller.quorum.voters | list |  | static
    controller.quota.window.num | int | 11 | static
    controller.quota.window.size.seconds | int | 1 | static
    controller.socket.timeout.ms | int | 30000 | static
    create.topic.policy.class.name | class | None | static
    default.replication.factor | int | 1 | static
    delegation.token.expiry.check.interval.ms | long | 3600000 | static
    delegation.token.expiry.time.ms | long | 86400000 | static
    delegation.token.max.lifetime.ms | long | 604800000 | static
    delegation.token.secret.key | password | None | static | sensitive
    delete.records.purgatory.purge.interval.requests | int | 1 | static
    delete.topic.enable | boolean | true | static
    early.start.listeners | string | None | static
    fetch.max.bytes | int | 57671680 | static
    fetch.purgatory.purge.interval.requests | int | 1000 | static
    group.consumer.assignors | list | uniform,range | static
    group.consumer.heartbeat.interval.ms | int | 5000 | static
    group.consumer.max.heartbeat.interval.ms | int | 15000 | static
    group.consumer.max.session.timeout.ms | int | 60000 | static
    group.consumer.max.size | int | 2147483647 | static
    group.consumer.migration.policy | string | bidirectional | static
    group.consumer.min.heartbeat.interval.ms | int | 5000 | static
    group.consumer.min.session.timeout.ms | int | 45000 | static
    group.consumer.session.timeout.ms | int | 45000 | static
    group.coordinator.append.linger.ms | int | 5 | static
    group.coordinator.rebalance.protocols | list | classic,consumer | static
    group.coordinator.threads | int | 4 | static
    group.initial.rebalance.delay.ms | int | 3000 | static
    group.max.session.timeout.ms | int | 1800000 | static
    group.max.size | int | 2147483647 | static
    group.min.session.timeout.ms | int | 6000 | static
    group.share.delivery.count.limit | int | 5 | static
    group.share.heartbeat.interval.ms | int | 5000 | static
    group.share.max.groups | short | 10 | static
    group.share.max.heartbeat.interval.ms | int | 15000 | static
    group.share.max.record.lock.duration.ms | int | 60000 | static
    group.share.max.session.timeout.ms | int | 60000 | static
    group.share.max.size | int | 200 | static
    group.share.min.heartbeat.interval.ms | int | 5000 | static
    group.share.min.record.lock.duration.ms | int | 15000 | static
    group.share.min.session.timeout.ms | int | 45000 | static
    group.share.partition.max.record.locks | int | 200 | static
    group.share.record.lock.duration.ms | int | 30000 | static
    group.share.session.timeout.ms | int | 45000 | static
    initial.broker.registration.timeout.ms | int | 60000 | static
    inter.broker.listener.name | string | (set per broker) | static
    kafka.metrics.polling.interval.secs | int | 10 | static
    kafka.metrics.reporters | list |  | static
    leader.imbalance.check.interval.seconds | long | 300 | static
    listener.security.protocol.map | string | SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT | dynamic
    listeners | string | PLAINTEXT://:9092 | dynamic
    log.cleaner.backoff.ms | long | 15000 | dynamic
    log.cleaner.dedupe.buffer.size | long | 134217728 | dynamic
    log.cleaner.delete.retention.ms | long | 86400000 | dynamic
    log.cleaner.enable | boolean | true | static
    log.cleaner.io.buffer.load.factor | double | 0.9 | dynamic
    log.cleaner.io.buffer.size | int | 524288 | dynamic
    log.cleaner.io.max.bytes.per.second | double | 1.7976931348623157E308 | dynamic
    log.cleaner.max.compaction.lag.ms | long | 9223372036854775807 | dynamic
    log.cleaner.min.cleanable.ratio | double | 0.5 | dynamic
    log.cleaner.min.compaction.lag.ms | long | 0 | dynamic
    log.cleaner.threads | int | 1 | dynamic
    log.cleanup.policy | list | delete | dynamic
    log.dir | string | (a folder of its own) | static
    log.dir.failure.timeout.ms | long | 30000 | static
    log.dirs | string | (set per broker) | static
    log.flush.interval.messages | long | 9223372036854775807 | dynamic
    log.flush.interval.ms | long | None | dynamic
    log.flush.offset.checkpoint.interval.ms | int | 60000 | static
    log.flush.scheduler.interval.ms | long | 9223372036854775807 | static
    log.flush.start.offset.checkpoint.interval.ms | int | 60000 | static
    log.index.interval.bytes | int | 4096 | dynamic
    log.index.size.max.bytes | int | 10485760 | dynamic
    log.local.retention.bytes | long | -2 | dynamic
    log.local.retention.ms | long | -2 | dynamic
    log.message.timestamp.after.max.ms | long | 3600000 | dynamic
    log.message.timestamp.before.max.ms | long | 9223372036854775807 | dynamic
    log.message.timestamp.type | string | CreateTime | dynamic
    log.preallocate | boolean | false | dynamic
    log.retention.bytes | long | -1 | dynamic
    log.retention.check.interval.ms | long | 300000 | static
    log.retention.hours | int | 168 | static
    log.retention.minutes | int | None | static
    log.retention.ms | long | None | dynamic
    log.roll.hours | int | 168 | static
    log.roll.jitter.hours | int | 0 | static
    log.roll.jitter.ms | long | None | dynamic
    log.roll.ms | long | None | dynamic
    log.segment.bytes | int | 1073741824 | dynamic
    log.segment.delete.delay.ms | long | 60000 | dynamic
    max.connection.creation.rate | int | 2147483647 | dynamic
    max.connections | int | 2147483647 | dynamic
    max.connections.per.ip | int | 2147483647 | dynamic
    max.connections.per.ip.overrides | string |  | dynamic
    max.incremental.fetch.session.cache.slots | int | 1000 | static
    max.request.partition.size.limit | int | 2000 | static
    message.max.bytes | int | 1048588 | dynamic
    metadata.log.dir | string | None | static
    metadata.log.max.record.bytes.between.snapshots | long | 20971520 | static
    metadata.log.max.snapshot.interval.ms | long | 3600000 | static
    metadata.log.segment.bytes | int | 1073741824 | static
    metadata.log.segment.ms | long | 604800000 | static
    metadata.max.idle.interval.ms | int | 500 | static
    metadata.max.retention.bytes | long | 104857600 | static
    metadata.max.retention.ms | long | 604800000 | static
    metric.reporters | list | org.apache.kafka.common.metrics.JmxReporter | dynamic
    metrics.num.samples | int | 2 | static
    metrics.recording.level | string | INFO | static
    metrics.sample.window.ms | long | 30000 | static
    min.insync.replicas | int | 1 | dynamic
    node.id | int | (set per broker) | static
    num.io.threads | int | 8 | dynamic
    num.network.threads | int | 3 | dynamic
    num.partitions | int | 1 | static
    num.recovery.threads.per.data.dir | int | 2 | dynamic
    num.replica.alter.log.dirs.threads | int | None | static
    num.replica.fetchers | int | 1 | dynamic
    offset.metadata.max.bytes | int | 4096 | static
    offsets.commit.timeout.ms | int | 5000 | static
    offsets.load.buffer.size | int | 5242880 | static
    offsets.retention.check.interval.ms | long | 600000 | static
    offsets.retention.minutes | int | 10080 | static
    offsets.topic.compression.codec | int | 0 | static
    offsets.topic.num.partitions | int | 50 | static
    offsets.topic.replication.factor | short | 3 | static
    offsets.topic.segment.bytes | int | 104857600 | static
    principal.builder.class | class | org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder | dynamic
    process.roles | list | (set per broker) | static
    producer.id.expiration.ms | int | 86400000 | dynamic
    producer.purgatory.purge.interval.requests | int | 1000 | static
    queued.max.request.bytes | long | -1 | static
    queued.max.requests | int | 500 | static
    quota.window.num | int | 11 | static
    quota.window.size.seconds | int | 1 | static
    remote.fetch.max.wait.ms | int | 500 | dynamic
    remote.list.offsets.request.timeout.ms | long | 30000 | dynamic
    remote.log.index.file.cache.total.size.bytes | long | 1073741824 | dynamic
    remote.log.manager.copier.thread.pool.size | int | 10 | dynamic
    remote.log.manager.copy.max.bytes.per.second | long | 9223372036854775807 | dynamic
    remote.log.manager.copy.quota.window.num | int | 11 | static
    remote.log.manager.copy.quota.window.size.seconds | int | 1 | static
    remote.log.manager.expiration.thread.pool.size | int | 10 | dynamic
    remote.log.manager.fetch.max.bytes.per.second | long | 9223372036854775807 | dynamic
    remote.log.manager.fetch.quota.window.num | int | 11 | static
    remote.log.manager.fetch.quota.window.size.seconds | int | 1 | static
    remote.log.manager.task.interval.ms | long | 30000 | static
    remote.log.manager.thread.pool.size | int | 2 | static
    remote.log.metadata.custom.metadata.max.bytes | int | 128 | static
    remote.log.metadata.manager.class.name | string | org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager | static
    remote.log.metadata.manager.class.path | string | None | static
    remote.log.metadata.manager.impl.prefix | string | rlmm.config. | static
    remote.log.metadata.manager.listener.name | string | None | static
    remote.log.reader.max.pending.tasks | int | 100 | static
    remote.log.reader.threads | int | 10 | dynamic
    remote.log.storage.manager.class.name | string | None | static
    remote.log.storage.manager.class.path | string | None | static
    remote.log.storage.manager.impl.prefix | string | rsm.config. | static
    remote.log.storage.system.enable | boolean | false | static
    replica.fetch.backoff.ms | int | 1000 | static
    replica.fetch.max.bytes | int | 1048576 | static
    replica.fetch.min.bytes | int | 1 | static
    replica.fetch.response.max.bytes | int | 10485760 | static
    replica.fetch.wait.max.ms | int | 500 | static
    replica.high.watermark.checkpoint.interval.ms | long | 5000 | static
    replica.lag.time.max.ms | long | 30000 | static
    replica.selector.class | string | None | static
    replica.socket.receive.buffer.bytes | int | 65536 | static
    replica.socket.timeout.ms | int | 30000 | static
    replication.quota.window.num | int | 11 | static
    replication.quota.window.size.seconds | int | 1 | static
    request.timeout.ms | int | 30000 | static
    sasl.client.callback.handler.class | class | None | static
    sasl.enabled.mechanisms | list | GSSAPI | dynamic
    sasl.jaas.config | password | None | dynamic | sensitive
    sasl.kerberos.kinit.cmd | string | /usr/bin/kinit | dynamic
    sasl.kerberos.min.time.before.relogin | long | 60000 | dynamic
    sasl.kerberos.principal.to.local.rules | list | DEFAULT | dynamic
    sasl.kerberos.service.name | string | None | dynamic
    sasl.kerberos.ticket.renew.jitter | double | 0.05 | dynamic
    sasl.kerberos.ticket.renew.window.factor | double | 0.8 | dynamic
    sasl.login.callback.handler.class | class | None | static
    sasl.login.class | class | None | static
    sasl.login.connect.timeout.ms | int | None | static
    sasl.login.read.timeout.ms | int | None | static
    sasl.login.refresh.buffer.seconds | short | 300 | dynamic
    sasl.login.refresh.min.period.seconds | short | 60 | dynamic
    sasl.login.refresh.window.factor | double | 0.8 | dynamic
    sasl.login.refresh.window.jitter | double | 0.05 | dynamic
    sasl.login.retry.backoff.max.ms | long | 10000 | static
    sasl.login.retry.backoff.ms | long | 100 | static
    sasl.mechanism.controller.protocol | string | GSSAPI | static
    sasl.mechanism.inter.broker.protocol | string | GSSAPI | dynamic
    sasl.oauthbearer.clock.skew.seconds | int | 30 | static
    sasl.oauthbearer.expected.audience | list | None | static
    sasl.oauthbearer.expected.issuer | string | None | static
    sasl.oauthbearer.jwks.endpoint.refresh.ms | long | 3600000 | static
    sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms | long | 10000 | static
    sasl.oauthbearer.jwks.endpoint.retry.backoff.ms | long | 100 | static
    sasl.oauthbearer.jwks.endpoint.url | string | None | static
    sasl.oauthbearer.scope.claim.name | string | scope | static
    sasl.oauthbearer.sub.claim.name | string | sub | static
    sasl.oauthbearer.token.endpoint.url | string | None | static
    sasl.server.callback.handler.class | class | None | static
    sasl.server.max.receive.size | int | 524288 | static
    security.inter.broker.protocol | string | PLAINTEXT | static
    security.providers | string | None | static
    share.coordinator.append.linger.ms | int | 10 | static
    share.coordinator.load.buffer.size | int | 5242880 | static
    share.coordinator.snapshot.update.records.per.snapshot | int | 500 | static
    share.coordinator.state.topic.compression.codec | int | 0 | static
    share.coordinator.state.topic.min.isr | short | 2 | static
    share.coordinator.state.topic.num.partitions | int | 50 | static
    share.coordinator.state.topic.replication.factor | short | 3 | static
    share.coordinator.state.topic.segment.bytes | int | 104857600 | static
    share.coordinator.threads | int | 1 | static
    share.coordinator.write.timeout.ms | int | 5000 | static
    share.fetch.purgatory.purge.interval.requests | int | 1000 | static
    socket.connection.setup.timeout.max.ms | long | 30000 | static
    socket.connection.setup.timeout.ms | long | 10000 | static
    socket.listen.backlog.size | int | 50 | static
    socket.receive.buffer.bytes | int | 102400 | static
    socket.request.max.bytes | int | 104857600 | static
    socket.send.buffer.bytes | int | 102400 | static
    ssl.allow.dn.changes | boolean | false | static
    ssl.allow.san.changes | boolean | false | static
    ssl.cipher.suites | list |  | dynamic
    ssl.client.auth | string | none | dynamic
    ssl.enabled.protocols | list | TLSv1.2,TLSv1.3 | dynamic
    ssl.endpoint.identification.algorithm | string | https | dynamic
    ssl.engine.factory.class | class | None | dynamic
    ssl.key.password | password | None | dynamic | sensitive
    ssl.keymanager.algorithm | string | SunX509 | dynamic
    ssl.keystore.certificate.chain | password | None | dynamic | sensitive
    ssl.keystore.key | password | None | dynamic | sensitive
    ssl.keystore.location | string | None | dynamic
    ssl.keystore.password | password | None | dynamic | sensitive
    ssl.keystore.type | string | JKS | dynamic
    ssl.principal.mapping.rules | string | DEFAULT | static
    ssl.protocol | string | TLSv1.3 | dynamic
    ssl.provider | string | None | dynamic
    ssl.secure.random.implementation | string | None | dynamic
    ssl.trustmanager.algorithm | string | PKIX | dynamic
    ssl.truststore.certificates | password | None | dynamic | sensitive
    ssl.truststore.location | string | None | dynamic
    ssl.truststore.password | password | None | dynamic | sensitive
    ssl.truststore.type | string | JKS | dynamic
    telemetry.max.bytes | int | 1048576 | static
    transaction.abort.timed.out.transaction.cleanup.interval.ms | int | 10000 | static
    transaction.max.timeout.ms | int | 900000 | static
    transaction.partition.verification.enable | boolean | true | dynamic
    transaction.remove.expired.transaction.cleanup.interval.ms | int | 3600000 | static
    transaction.state.log.load.buffer.size | int | 5242880 | static
    transaction.state.log.min.isr | int | 2 | static
    transaction.state.log.num.partitions | int | 50 | static
    transaction.state.log.replication.factor | short | 3 | static
    transaction.state.log.segment.bytes | int | 104857600 | static
    transactional.id.expiration.ms | int | 604800000 | static
    unclean.leader.election.enable | boolean | false | dynamic
    """

  /// The columns of each line.
  static func rows(_ facts: String) -> [[String]] {
    facts.split(separator: "\n").map { line in
      line.split(separator: "|", omittingEmptySubsequences: false).map { column in
        String(column.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
      }
    }
  }
}
