internal import Broker
internal import Cluster
internal import Primitives
internal import Replication
internal import Storage

/// R3: who is in the isr has everything that was ever safe.
extension ReplicaChecker {
  /// The record of a partition has changed.
  func isrChanged(_ key: TopicIDPartition, to count: Int, at partitionEpoch: Int32) {
    inSyncCounts[key, default: [:]][partitionEpoch] = count
    guard let history = histories[key], !history.isForgiven else { return }
    checkIsrMembers(key, history)
  }

  func checkIsrMembers(_ key: TopicIDPartition, _ history: History) {
    let image = simulator.checkers.metadata.image
    guard let record = image.topic(id: key.topicID)?.partition(key.partition) else { return }
    for id in record.isr { checkIsrMember(id, key, history, record, image.brokers[id]) }
  }

  /// A replica has changed: it may have lost what a member must have.
  func checkIsrMember(_ id: BrokerID, _ key: TopicIDPartition, _ history: History) {
    let image = simulator.checkers.metadata.image
    guard let record = image.topic(id: key.topicID)?.partition(key.partition), record.isr.contains(id) else { return }
    checkIsrMember(id, key, history, record, image.brokers[id])
  }

  private func checkIsrMember(
    _ id: BrokerID, _ key: TopicIDPartition, _ history: History, _ record: PartitionImage, _ known: BrokerRegistration?
  ) {
    // Of a run that the metadata does not know yet the isr says nothing.
    guard !record.doubtfulReplicas.contains(id), let node = simulator.node(id), node.isRunning, let known,
      !known.isFenced, known.epoch == node.shards[0].brokerEpoch
    else { return }
    let end: Int64
    if let replica = replica(key, of: node) {
      end = safeEnd(replica, seen[id]?[key]?.flushedBefore ?? history.end)
    } else {
      // Without a log it has nothing. Who was the last in sync stays so though its log cannot be opened: nobody else has more.
      guard record.isr.count > 1, !record.offlineReplicas.contains(id) else { return }
      end = 0
    }
    if end < history.end {
      violate(
        "R3",
        "broker \(id.value) is in the isr \(record.isr.map(\.value)) of \(history.partition) and has it safe up to "
          + "\(end), while \(history.end) was shown")
    }
  }

  /// Whether a broker holds all that was ever shown, as far as that can be seen; nil where its log is not open, as of a
  /// broker that has started again and waits for the ensemble.
  func hasEverything(_ id: BrokerID, _ key: TopicIDPartition) -> Bool? {
    guard let history = histories[key], let node = simulator.node(id), node.isRunning else { return true }
    guard let replica = replica(key, of: node) else { return nil }
    return replica.log.writtenEndOffset.value >= history.end
  }

  func safeEnd(_ replica: Partition, _ flushedBefore: Int64) -> Int64 {
    let written = replica.log.writtenEndOffset.value
    guard simulator.knobs.isFlushedFirst else { return written }
    return max(replica.log.recoveryPoint.value, min(written, flushedBefore))
  }

  func replica(_ key: TopicIDPartition, of node: Machine) -> Partition? {
    for shard in node.shards { if let found = shard.partition(key) { return found } }
    return nil
  }
}
