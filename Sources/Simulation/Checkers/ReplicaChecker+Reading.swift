internal import Primitives
internal import Records
internal import Replication
internal import Storage

/// What replicas have in their logs.
extension ReplicaChecker {
  /// Compares what the replica has, from where it was compared before up to `limit`.
  func verify(
    _ partition: Partition, _ node: Machine, upTo limit: Int64, _ state: inout Seen, _ history: inout History
  ) {
    let log = partition.log
    if let last = state.lastVerified, state.verified > 0, !holds(log, last) {
      state.verified = 0
      state.lastVerified = nil
    }
    var next = max(state.verified, log.logStartOffset.value)
    let limit = min(limit, log.writtenEndOffset.value)
    guard next < limit else { return }
    var found: Violation?
    do throws(LogError) {
      try log.scan(from: Offset(next), upTo: Offset(limit)) { header, _ in
        let batch = SeenBatch(header)
        guard batch.base >= next else { return }
        if found == nil { found = history.take(batch, of: node.id) }
        next = batch.end
        state.verified = batch.end
        state.lastVerified = batch
      }
    } catch {
      guard simulator.hasDamage(node) else {
        return violate("S4", "\(history.partition) of broker \(node.id.value) cannot be read: \(error)")
      }
    }
    if let found { simulator.checkers.violate(found) }
  }

  /// Whether the log still has that batch.
  private func holds(_ log: Log, _ batch: SeenBatch) -> Bool {
    guard log.writtenEndOffset.value >= batch.end, log.logStartOffset.value <= batch.base else { return false }
    var isSame = false
    do throws(LogError) {
      try log.scan(from: Offset(batch.base), upTo: Offset(batch.end)) { header, _ in
        if SeenBatch(header) == batch { isSame = true }
      }
    } catch { return false }
    return isSame
  }

  /// Every log from its start to its end, as what it is made of.
  func contents(_ partition: Partition) -> [SeenBatch] {
    var batches: [SeenBatch] = []
    do throws(LogError) {
      try partition.log.scan(from: partition.log.logStartOffset, upTo: partition.log.writtenEndOffset) { header, _ in
        batches.append(SeenBatch(header))
      }
    } catch {
      violate("S4", "\(partition.topicPartition) of broker \(partition.brokerID.value) cannot be read: \(error)")
    }
    return batches
  }
}
