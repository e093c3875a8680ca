internal import Broker
internal import Cluster
internal import Primitives
internal import Replication
internal import Storage

/// Whether a cluster without faults has come together, and what of it is still missing.
struct Convergence {
  private let simulator: ClusterSimulator

  init(_ simulator: ClusterSimulator) { self.simulator = simulator }

  private var image: ClusterImage { simulator.checkers.metadata.image }

  /// nil when nothing is.
  func missing() -> String? {
    for node in simulator.nodes {
      guard node.isRunning, node.isListening else { return "broker \(node.id.value) is not back" }
      for shard in node.shards where shard.clusterImage.offset != image.offset {
        return
          "broker \(node.id.value) knows the metadata up to \(shard.clusterImage.offset.value), not \(image.offset.value)"
      }
    }
    if !simulator.admin.isDone { return "topics were not made" }
    if simulator.fleeting?.isDone == false { return "the topic that comes and goes is not at rest" }
    for producer in simulator.producers where !producer.isDone {
      return "client \(producer.party) has records that nobody took"
    }
    for name in image.topicNames {
      guard let topic = image.topic(named: name) else { continue }
      for (number, record) in topic.partitions.enumerated() {
        if let what = missing(TopicIDPartition(topic.id, Int32(number)), record) { return "\(name)-\(number): \(what)" }
      }
    }
    return nil
  }

  private func missing(_ key: TopicIDPartition, _ record: PartitionImage) -> String? {
    if record.leader == .none {
      return "nobody leads; isr \(record.isr.map(\.value)), doubtful \(record.doubtfulReplicas.map(\.value))"
    }
    if !record.addingReplicas.isEmpty || !record.removingReplicas.isEmpty { return "a reassignment is not done" }
    if record.isr.count != record.replicas.count { return "only \(record.isr.map(\.value)) are in sync" }
    var end: Int64?
    let leaderStart =
      simulator.node(record.leader).flatMap { simulator.checkers.replicas.replica(key, of: $0) }?.log
      .logStartOffset.value ?? 0
    for id in record.replicas {
      guard let node = simulator.node(id), let replica = simulator.checkers.replicas.replica(key, of: node) else {
        return "broker \(id.value) has no log"
      }
      let own = replica.log.writtenEndOffset.value
      if own != end ?? own { return "the logs end at \(own) and \(end ?? own)" }
      end = own
      // One may begin later than its leader: a deletion that the leader before was asked for, and that nobody acknowledged.
      let begin = replica.log.logStartOffset.value
      if begin < leaderStart { return "a log begins at \(begin), its leader's at \(leaderStart)" }
      if replica.highWatermark.value != own {
        return "the high watermark of broker \(id.value) is \(replica.highWatermark.value), its log ends at \(own)"
      }
    }
    return nil
  }

  /// All replicas have the same, from the first to the last byte; and what was safe is in it.
  func compareAll() throws(Violation) {
    try simulator.checkers.clients.checkAcknowledgements()
    for name in image.topicNames {
      guard let topic = image.topic(named: name) else { continue }
      for (number, record) in topic.partitions.enumerated() {
        try compare(TopicIDPartition(topic.id, Int32(number)), record, "\(name)-\(number)")
      }
    }
  }

  /// S2: what a broker counts as flushed is on its disk.
  private func checkDisk(_ node: Machine, _ replica: Partition, _ name: String) throws(Violation) {
    let log = replica.log
    guard log.recoveryPoint == log.logEndOffset, let files = try? node.disk.list(log.directory) else { return }
    for file in files where file.hasSuffix(".log") && !node.disk.isOnDisk(log.directory + "/" + file, byteCount: .max) {
      throw Violation(
        invariant: "S2",
        what: "broker \(node.id.value) counts \(name) as flushed, and its disk has something else than \(file)")
    }
  }

  private func compare(_ key: TopicIDPartition, _ record: PartitionImage, _ name: String) throws(Violation) {
    let replicas = simulator.checkers.replicas
    var first: (broker: BrokerID, start: Int64, batches: [SeenBatch])?
    for id in record.replicas {
      guard let node = simulator.node(id), let replica = replicas.replica(key, of: node) else { continue }
      try checkDisk(node, replica, name)
      // One may begin later than its leader, but not later than anybody asked for.
      let start = replica.log.logStartOffset.value
      if start > replicas.histories[key]?.deletedBelow ?? 0 {
        throw Violation(
          invariant: "R1",
          what: "\(name) begins at \(start) on broker \(id.value), and no such deletion was asked for")
      }
      let batches = replicas.contents(replica)
      guard let known = first else {
        first = (id, replica.log.logStartOffset.value, batches)
        continue
      }
      let from = max(known.start, replica.log.logStartOffset.value)
      guard known.batches.filter({ $0.base >= from }) == batches.filter({ $0.base >= from }) else {
        throw Violation(
          invariant: "R7", what: "\(name) is not the same on brokers \(known.broker.value) and \(id.value)")
      }
    }
    guard let history = replicas.histories[key], !history.isForgiven, let first else { return }
    let start = first.batches.first?.base ?? history.end
    if first.batches != history.batches.filter({ $0.base >= start }) || start > max(history.deletedBelow, 0) {
      throw Violation(invariant: "R1", what: "\(name) ends with other records than those that were safe")
    }
  }
}
