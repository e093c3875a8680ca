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
  struct Seen {
    let partition: Partition
    var highWatermark: Int64
    var logEnd: Int64
    var leaderEpoch: Int32
    /// Up to where the log was compared with the history.
    var verified: Int64 = 0
    /// The last batch before that: another one there means that the log was cut meanwhile.
    var lastVerified: SeenBatch?
    var checkedTerm: Int32 = -1
    /// Which record of the partition it knew.
    var partitionEpoch: Int32 = -1
    /// What was on the disk for sure when the run before ended. A log that is found after a kill counts as flushed again when it
    /// has been synced.
    let flushedBefore: Int64
  }

  unowned let simulator: ClusterSimulator
  var histories: [TopicIDPartition: History] = [:]
  var seen: [BrokerID: [TopicIDPartition: Seen]] = [:]
  /// What of each log was on the disk for sure when its broker's last run ended.
  private var flushedBefore: [BrokerID: [TopicIDPartition: Int64]] = [:]
  /// How many were in sync by each record of a partition.
  var inSyncCounts: [TopicIDPartition: [Int32: Int]] = [:]

  init(_ simulator: ClusterSimulator) { self.simulator = simulator }

  func violate(_ invariant: String, _ what: String) { simulator.checkers.violate(invariant, what) }

  func history(_ key: TopicIDPartition, _ partition: TopicPartition) -> History {
    if let known = histories[key] { return known }
    let history = History(partition)
    histories[key] = history
    return history
  }

  func key(of partition: TopicPartition) -> TopicIDPartition? {
    simulator.checkers.metadata.image.topic(named: partition.topic).map {
      TopicIDPartition($0.id, partition.partition)
    }
  }

  /// The newest term of a partition that a broker knows itself, and whether it leads in it; without a replica there, the newest
  /// one of all.
  func ownTerm(_ partition: TopicPartition, of broker: BrokerID) -> (term: Int32, isLeader: Bool) {
    guard let key = key(of: partition) else { return (0, false) }
    if let node = simulator.node(broker), let replica = replica(key, of: node) {
      return (replica.leaderEpoch.value, replica.isLeader)
    }
    let record = simulator.checkers.metadata.image.topic(id: key.topicID)?.partition(key.partition)
    return (record?.leaderEpoch.value ?? 0, false)
  }

  /// The first term after another in which a broker was seen leading.
  func firstTerm(of partition: TopicPartition, ledBy broker: BrokerID, after term: Int32) -> Int32 {
    history(of: partition)?.leaders.filter { $0.value == broker && $0.key > term }.map(\.key).min() ?? 0
  }

  func history(of partition: TopicPartition) -> History? { key(of: partition).flatMap { histories[$0] } }

  func noteDeletion(_ partition: TopicPartition, below offset: Int64) {
    guard let key = key(of: partition), let history = histories[key] else { return }
    histories[key]?.deletedBelow = max(history.deletedBelow, offset)
  }

  func forgive(_ key: TopicIDPartition) { histories[key]?.forgive() }

  /// So many of these brokers may have lost something at the same time that nothing is promised any more of partitions which
  /// too many of them hold.
  func forgivePartitions(of lossy: Set<BrokerID>) {
    let image = simulator.checkers.metadata.image
    for name in image.topicNames {
      guard let topic = image.topic(named: name) else { continue }
      for (number, record) in topic.partitions.enumerated()
      where record.replicas.count(where: lossy.contains) > min(simulator.knobs.minInsyncReplicas, record.replicas.count)
        - 1
      {
        let key = TopicIDPartition(topic.id, Int32(number))
        var history = history(key, TopicPartition(name, Int32(number)))
        history.forgive()
        histories[key] = history
      }
    }
  }

  func died(_ node: Machine) {
    for (key, state) in seen[node.id] ?? [:] {
      flushedBefore[node.id, default: [:]][key] = safeEnd(state.partition, state.flushedBefore)
    }
    seen[node.id] = nil
  }

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
    var history = history(key, partition.topicPartition)
    var state =
      now
      ?? Seen(
        partition: partition, highWatermark: 0, logEnd: 0, leaderEpoch: -1,
        flushedBefore: flushedBefore[node.id]?[key] ?? 0)
    if now == nil { seen[node.id, default: [:]][key] = state }
    defer {
      state.highWatermark = mark
      state.logEnd = end
      state.leaderEpoch = term
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
    // What others have shown before it was allowed to.
    if partition.isLeader, mark > max(state.highWatermark, history.shownEnd) {
      checkInSyncCount(key, partition, mark, node, since: state.partitionEpoch)
    }
    history.shownEnd = max(history.shownEnd, mark)
    let before = history.end
    verify(partition, node, upTo: mark, &state, &history)
    if history.isForgiven { return }
    if history.end > before { checkIsrMembers(key, history) } else { checkIsrMember(node.id, key, history) }
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

  /// By none of the records that the leader knew since the last look there were enough.
  private func checkInSyncCount(
    _ key: TopicIDPartition, _ partition: Partition, _ mark: Int64, _ node: Machine, since before: Int32
  ) {
    let needed = min(simulator.knobs.minInsyncReplicas, simulator.knobs.replicationFactor)
    let counts = inSyncCounts[key] ?? [:]
    guard before <= partition.partitionEpoch, partition.isr.count < needed,
      !(before...partition.partitionEpoch).contains(where: { counts[$0].map { $0 >= needed } ?? false })
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
}
