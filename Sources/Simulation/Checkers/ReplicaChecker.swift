internal import Broker
internal import Cluster
internal import Primitives
internal import Records
internal import Replication
internal import Storage

/// What must hold of every replica after every turn.
///
/// R1, R2: who leads has everything that was ever safe. R3: so has everybody in the isr, on the disk where it has to be.
/// R6: nothing becomes safe with too few in sync. R7, R10: what is safe is the same everywhere. R9: what is safe stays so.
/// R11: one leader a term.
final class ReplicaChecker {
  /// What was seen of a replica last.
  private struct Seen {
    let partition: Partition
    var highWatermark: Int64
    var logEnd: Int64
    var leaderEpoch: Int32
    /// Up to where the log was compared with the history.
    var verified: Int64 = 0
    /// The last batch before that: another one there means that the log was cut meanwhile.
    var lastVerified: SeenBatch?
    var checkedTerm: Int32 = -1
    /// As the leader knew the isr, and which record of the partition that was.
    var inSyncCount = 0
    var wasLeader = false
    var partitionEpoch: Int32 = -1
  }

  private unowned let simulator: ClusterSimulator
  private(set) var histories: [TopicIDPartition: History] = [:]
  private var seen: [BrokerID: [TopicIDPartition: Seen]] = [:]

  init(_ simulator: ClusterSimulator) { self.simulator = simulator }

  private func violate(_ invariant: String, _ what: String) { simulator.checkers.violate(invariant, what) }

  func history(_ key: TopicIDPartition, _ partition: TopicPartition) -> History {
    if let known = histories[key] { return known }
    var history = History(partition)
    if !simulator.knobs.hasBudget { history.forgive() }
    histories[key] = history
    return history
  }

  func key(of partition: TopicPartition) -> TopicIDPartition? {
    simulator.checkers.metadata.image.topic(named: partition.topic).map {
      TopicIDPartition($0.id, partition.partition)
    }
  }

  func history(of partition: TopicPartition) -> History? { key(of: partition).flatMap { histories[$0] } }

  func noteDeletion(_ partition: TopicPartition, below offset: Int64) {
    guard let key = key(of: partition), let history = histories[key] else { return }
    histories[key]?.deletedBelow = max(history.deletedBelow, offset)
  }

  func forgive(_ key: TopicIDPartition) { histories[key]?.forgive() }

  func died(_ node: Machine) { seen[node.id] = nil }

  // MARK: after a turn

  func look(_ node: Machine, _ shard: Int) {
    node.shards[shard].forEachPartition { look(node, $0) }
  }

  private func look(_ node: Machine, _ partition: Partition) {
    let key = TopicIDPartition(partition.topicID, partition.topicPartition.partition)
    let mark = partition.highWatermark.value
    let end = partition.log.logEndOffset.value
    let term = partition.leaderEpoch.value
    var now = seen[node.id]?[key]
    if let known = now, known.partition === partition {
      if known.highWatermark == mark, known.logEnd == end, known.leaderEpoch == term,
        known.partitionEpoch == partition.partitionEpoch
      {
        return
      }
    } else {
      now = nil
    }
    var state = now ?? Seen(partition: partition, highWatermark: 0, logEnd: 0, leaderEpoch: -1)
    var history = history(key, partition.topicPartition)
    defer {
      state.highWatermark = mark
      state.logEnd = end
      state.leaderEpoch = term
      state.inSyncCount = partition.isr.count
      state.wasLeader = partition.isLeader
      state.partitionEpoch = partition.partitionEpoch
      seen[node.id, default: [:]][key] = state
      histories[key] = history
    }
    if end < state.logEnd, now != nil { simulator.reached(.truncation) }
    if state.leaderEpoch >= 0, term > state.leaderEpoch + 1 { simulator.reached(.doubleFailover) }
    if now != nil, !partition.isLeader, partition.log.logStartOffset.value > state.logEnd {
      simulator.reached(.followerRestartedAtStart)
    }
    if partition.isLeader, !partition.isEndKnown { simulator.reached(.endNotKnown) }
    if mark < state.highWatermark, !history.isForgiven {
      violate(
        "R9",
        "the high watermark of \(history.partition) on broker \(node.id.value) went from \(state.highWatermark) to \(mark)"
      )
    }
    checkLeader(node, partition, &history)
    if partition.isLeader, state.wasLeader, mark > state.highWatermark {
      checkInSyncCount(partition, mark, node, state)
    }
    let before = history.end
    verify(partition, node, upTo: mark, &state, &history)
    if history.isForgiven { return }
    if history.end > before { checkIsrMembers(key, history) }
    checkCompleteness(node, partition, key, &state, &history)
  }

  private func checkLeader(_ node: Machine, _ partition: Partition, _ history: inout History) {
    guard partition.isLeader else { return }
    let term = partition.leaderEpoch.value
    if let other = history.leaders[term], other != node.id {
      violate("R11", "brokers \(other.value) and \(node.id.value) both lead \(history.partition) in term \(term)")
    }
    history.leaders[term] = node.id
  }

  private func checkInSyncCount(_ partition: Partition, _ mark: Int64, _ node: Machine, _ before: Seen) {
    let needed = min(simulator.knobs.minInsyncReplicas, simulator.knobs.replicationFactor)
    // What came between two looks may have been enough.
    guard max(partition.isr.count, before.inSyncCount) < needed, partition.partitionEpoch <= before.partitionEpoch + 1
    else { return }
    violate(
      "R6",
      "the high watermark of \(partition.topicPartition) on broker \(node.id.value) got to \(mark) with \(partition.isr.map(\.value)) in sync"
    )
  }

  /// Who leads in the newest term has all there is.
  private func checkCompleteness(
    _ node: Machine, _ partition: Partition, _ key: TopicIDPartition, _ state: inout Seen,
    _ history: inout History
  ) {
    guard partition.isLeader, isNewest(key, partition.leaderEpoch) else { return }
    if partition.log.logEndOffset.value < history.end {
      return violate(
        "R2",
        "broker \(node.id.value) leads \(history.partition) in term \(partition.leaderEpoch.value), its log ends at "
          + "\(partition.log.logEndOffset.value), and \(history.end) was safe")
    }
    guard state.checkedTerm != partition.leaderEpoch.value else { return }
    state.checkedTerm = partition.leaderEpoch.value
    verify(partition, node, upTo: history.end, &state, &history)
  }

  private func isNewest(_ key: TopicIDPartition, _ epoch: LeaderEpoch) -> Bool {
    simulator.checkers.metadata.image.topic(id: key.topicID)?.partition(key.partition)?.leaderEpoch == epoch
  }

  /// R8: a follower compares histories before it believes a high watermark. The broker itself says where one did not: the cut
  /// and the belief are of one turn, and nothing is left of it to see.
  func heard(_ line: String, from node: Machine) {
    guard line.hasSuffix("records that had been safe were among them") else { return }
    let name = line.dropFirst("warning ".count).prefix { $0 != ":" }
    let isForgiven = histories.values.contains { "\($0.partition)" == name && $0.isForgiven }
    if !isForgiven { violate("R8", "broker \(node.id.value) says of \(line.dropFirst("warning ".count))") }
  }

  // MARK: members of the isr

  /// The record of a partition has changed.
  func isrChanged(_ key: TopicIDPartition) {
    guard let history = histories[key], !history.isForgiven else { return }
    checkIsrMembers(key, history)
  }

  private func checkIsrMembers(_ key: TopicIDPartition, _ history: History) {
    let image = simulator.checkers.metadata.image
    guard let record = image.topic(id: key.topicID)?.partition(key.partition) else { return }
    for id in record.isr where !record.doubtfulReplicas.contains(id) {
      guard let node = simulator.node(id), node.isRunning, let known = image.brokers[id], !known.isFenced,
        known.epoch == node.shards[0].brokerEpoch, let partition = replica(key, of: node)
      else { continue }
      let log = partition.log
      let end = simulator.knobs.isFlushedFirst ? log.recoveryPoint.value : log.writtenEndOffset.value
      if end < history.end {
        violate(
          "R3",
          "broker \(id.value) is in the isr \(record.isr.map(\.value)) of \(history.partition) and has it safe up to "
            + "\(end), while \(history.end) was shown")
      }
    }
  }

  func replica(_ key: TopicIDPartition, of node: Machine) -> Partition? {
    for shard in node.shards { if let found = shard.partition(key) { return found } }
    return nil
  }

  // MARK: reading

  /// Compares what the replica has, from where it was compared before up to `limit`.
  private func verify(
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

  // MARK: at the end

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
