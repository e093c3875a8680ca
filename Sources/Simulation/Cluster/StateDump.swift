internal import Broker
internal import Primitives
internal import Replication
internal import Storage

/// What every replica looks like, for whoever reads a trace to its end.
struct StateDump {
  static func write(_ simulator: ClusterSimulator) {
    let trace = simulator.trace
    guard trace.isPrinted else { return }
    for node in simulator.nodes {
      guard node.isRunning else {
        trace.say("broker \(node.id.value) is down")
        continue
      }
      for shard in node.shards {
        shard.forEachPartition { partition in
          let log = partition.log
          trace.say(
            "broker \(node.id.value) \(partition.topicPartition): \(partition.role) in term \(partition.leaderEpoch.value), "
              + "\(log.logStartOffset.value)..<\(log.logEndOffset.value), on disk \(log.recoveryPoint.value), high watermark "
              + "\(partition.highWatermark.value), terms \(log.leaderEpochs.entries.map { "\($0.epoch.value)@\($0.startOffset.value)" }), "
              + "batches \(batches(partition, simulator))")
        }
      }
    }
  }

  private static func batches(_ partition: Partition, _ simulator: ClusterSimulator) -> String {
    let all = simulator.checkers.replicas.contents(partition)
    let shown = all.suffix(8).map { "\($0.base)..<\($0.end)@\($0.epoch)" }.joined(separator: " ")
    return all.count > 8 ? "... " + shown : shown
  }
}
