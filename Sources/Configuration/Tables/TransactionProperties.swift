/// Transactions.
enum TransactionProperties {
  static let rows: [BrokerProperty] = [
    .echo(
      "add.partitions.to.txn.retry.backoff.max.ms", .int, "100",
      "How long in all the broker tries again to add a partition to a transaction."),
    .echo("add.partitions.to.txn.retry.backoff.ms", .int, "20", "The pause between such tries."),
    .echo(
      "transaction.abort.timed.out.transaction.cleanup.interval.ms", .int, "10000",
      "How often to look for transactions that took too long."),
    .echo("transaction.max.timeout.ms", .int, "900000", "The longest timeout a transaction may ask for."),
    BrokerProperty.echo(
      "transaction.partition.verification.enable", .boolean, "true",
      "Ask the coordinator whether a partition is part of the transaction before writing to it."
    ).clusterWide(),
    .echo(
      "transaction.remove.expired.transaction.cleanup.interval.ms", .int, "3600000",
      "How often to look for transactional ids that are due to go."),
    .echo("transaction.state.log.load.buffer.size", .int, "5242880", "The batch size when state is loaded."),
    .echo("transaction.state.log.min.isr", .int, "2", "min.insync.replicas of __transaction_state."),
    .echo("transaction.state.log.num.partitions", .int, "50", "Partitions of __transaction_state."),
    .echo("transaction.state.log.replication.factor", .short, "3", "Replicas of __transaction_state."),
    .echo("transaction.state.log.segment.bytes", .int, "104857600", "The segment size of __transaction_state."),
    .echo("transactional.id.expiration.ms", .int, "604800000", "How long an unused transactional id is kept."),
  ]
}
