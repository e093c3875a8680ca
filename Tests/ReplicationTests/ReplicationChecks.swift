import Cluster
import Primitives
import Storage

@testable import Replication

/// Something that replication must never do, by the name of the invariant.
struct Violation: Error, CustomStringConvertible {
  let invariant: String
  let what: String
  var description: String { "\(invariant): \(what)" }
}

/// What must hold after each step (R1 to R11, I1). What any high watermark has covered is kept as the one true log: nothing
/// may differ from it, and every clean leader has it.
struct ReplicationChecks {
  let minInsyncReplicas: Int
  let isFlushedFirst: Bool
  /// Every batch that was below a high watermark, in order.
  private(set) var canonical: [ModelBatch] = []
  private var places: [Int64: Int] = [:]
  private var acknowledgedBases: Set<Int64> = []
  private var leaders: [LeaderEpoch: BrokerID] = [:]
  private var highWatermarks: [BrokerID: Offset] = [:]
  private var lastSequences: [Int64: Int32] = [:]

  init(minInsyncReplicas: Int, isFlushedFirst: Bool) {
    self.minInsyncReplicas = minInsyncReplicas
    self.isFlushedFirst = isFlushedFirst
  }

  private var end: Int64 { canonical.last?.end ?? 0 }

  // MARK: what happens

  mutating func acknowledged(_ batch: ModelBatch) { acknowledgedBases.insert(batch.base) }

  mutating func forget(_ broker: BrokerID) { highWatermarks[broker] = nil }

  mutating func leads(_ broker: ModelBroker, _ epoch: LeaderEpoch, isCurrent: Bool) throws {
    if let other = leaders[epoch], other != broker.id {
      throw Violation(invariant: "R11", what: "\(other.value) and \(broker.id.value) lead in term \(epoch.value)")
    }
    leaders[epoch] = broker.id
    if isCurrent { try hasEverything(broker, "R2", "became leader in term \(epoch.value)") }
  }

  /// Unclean elections lose records: what only others had never was.
  mutating func forgive(_ leader: ModelBroker, among brokers: [ModelBroker]) {
    var count = 0
    while count < canonical.count, leader.batches.contains(canonical[count]) { count += 1 }
    let start = leader.batches.first?.base ?? 0
    while count < canonical.count, canonical[count].end <= start { count += 1 }
    for batch in canonical[count...] {
      places[batch.base] = nil
      acknowledgedBases.remove(batch.base)
    }
    canonical.removeSubrange(count...)
    lastSequences = [:]
    for batch in canonical { lastSequences[batch.producer] = batch.sequence }
    for broker in brokers { highWatermarks[broker.id] = broker.partition?.highWatermark }
  }

  // MARK: what must hold

  mutating func everything(_ model: ReplicationModel, changed broker: ModelBroker) throws {
    guard let partition = broker.partition else { return }
    if broker.isForgiven {
      highWatermarks[broker.id] = partition.highWatermark
      return
    }
    let mark = partition.highWatermark
    let before = highWatermarks[broker.id] ?? partition.log.logStartOffset
    highWatermarks[broker.id] = mark
    let name = "\(broker.id.value)"
    if mark < before {
      throw Violation(invariant: "R9", what: "the high watermark of \(name) went from \(before.value) to \(mark.value)")
    }
    if let state = partition.leading, mark > before,
      partition.isr.count < min(minInsyncReplicas, state.replicas.count + 1)
    {
      throw Violation(
        invariant: "R6",
        what: "the high watermark of \(name) got to \(mark.value) with isr \(partition.isr.map(\.value))")
    }
    try expose(broker, upTo: mark.value)
    try reads(broker, partition)
    let image = model.controller.image
    guard let leader = model.broker(image.leader), leader.partition?.leaderEpoch == image.leaderEpoch,
      leader.partition?.isLeader == true, !leader.isForgiven
    else { return }
    try hasEverything(leader, "R1", "leads in term \(image.leaderEpoch.value)")
    for id in image.isr { try isInSync(id, model, leader) }
    if let partition = leader.partition, partition.isEndKnown, partition.highWatermark.value < end {
      throw Violation(
        invariant: "R9",
        what: "\(leader.id.value) tells \(partition.highWatermark.value) as the end, after \(end) was shown")
    }
  }

  /// R7, R10: what is below a high watermark is the same everywhere, and for ever. I1: each sequence once, in order.
  private mutating func expose(_ broker: ModelBroker, upTo mark: Int64) throws {
    for batch in broker.batches {
      guard batch.end <= mark else { break }
      if let place = places[batch.base] {
        guard canonical[place] == batch else {
          throw Violation(
            invariant: "R7",
            what: "\(broker.id.value) has \(batch) below its high watermark \(mark), others \(canonical[place])")
        }
        continue
      }
      guard batch.base >= end else {
        throw Violation(invariant: "R10", what: "\(broker.id.value) has \(batch), where others have other batches")
      }
      if let last = lastSequences[batch.producer], batch.sequence != last + 1 {
        throw Violation(invariant: "I1", what: "\(batch) comes behind sequence \(last)")
      }
      lastSequences[batch.producer] = batch.sequence
      places[batch.base] = canonical.count
      canonical.append(batch)
    }
  }

  /// R9: nothing above the high watermark is read.
  private func reads(_ broker: ModelBroker, _ partition: Partition) throws {
    guard partition.role != .idle, partition.highWatermark > partition.log.logStartOffset else { return }
    let slice = try partition.read(from: partition.log.logStartOffset, maxBytes: 1 << 20, minOneBatch: true)
    if let next = slice.nextOffset, next > partition.highWatermark {
      throw Violation(
        invariant: "R9", what: "\(broker.id.value) lets \(next.value) be read above \(partition.highWatermark.value)")
    }
  }

  private func hasEverything(_ broker: ModelBroker, _ invariant: String, _ what: String) throws {
    guard !broker.isForgiven else { return }
    let start = broker.partition?.log.logStartOffset.value ?? 0
    try has(broker.batches, from: start, upTo: end, invariant, "\(broker.id.value) \(what)")
  }

  private func has(
    _ batches: [ModelBatch], from start: Int64, upTo limit: Int64, _ invariant: String, _ who: @autoclosure () -> String
  ) throws {
    var place = 0
    for batch in canonical where batch.base >= start && batch.end <= limit {
      while place < batches.count, batches[place].base < batch.base { place += 1 }
      guard place < batches.count, batches[place] == batch else {
        let kind = acknowledgedBases.contains(batch.base) ? "acknowledged" : "shown"
        throw Violation(invariant: invariant, what: "\(who()) without \(batch), which was \(kind)")
      }
    }
  }

  /// R3: each member of the isr, as the controller has it, holds safely what is below the leader's high watermark.
  private func isInSync(_ id: BrokerID, _ model: ReplicationModel, _ leader: ModelBroker) throws {
    guard let member = model.broker(id), let log = member.partition?.log, let mark = leader.partition?.highWatermark,
      member.brokerEpoch == model.controller.epoch(of: id)
    else { return }
    let safe = isFlushedFirst ? log.recoveryPoint : log.writtenEndOffset
    // What a checkpoint does not know yet is on the disk all the same.
    let isHeld = isFlushedFirst && log.unnotedCut != nil
    guard safe >= mark || isHeld else {
      throw Violation(
        invariant: "R3", what: "\(id.value) is in sync and has \(safe.value), the high watermark is \(mark.value)")
    }
    try member.look()
    try has(member.batches, from: log.logStartOffset.value, upTo: mark.value, "R3", "\(id.value) is in sync")
  }

  /// R4: who joins the isr has everything that was ever shown.
  func joined(_ model: ReplicationModel, _ proposal: IsrProposal) throws {
    for member in proposal.isr {
      guard let broker = model.broker(member.id), let partition = broker.partition, !broker.isForgiven else { continue }
      guard member.brokerEpoch == model.controller.epoch(of: member.id) else {
        throw Violation(invariant: "R4", what: "\(member.id.value) joined in an epoch that has ended")
      }
      try broker.look()
      try has(
        broker.batches, from: partition.log.logStartOffset.value, upTo: end, "R4", "\(member.id.value) joined the isr")
    }
  }

  /// R8: what a follower has after it has appended is what its leader has.
  func copied(_ model: ReplicationModel, _ follower: ModelBroker, _ outcome: FetchOutcome) throws {
    guard case .follower(let id)? = follower.partition?.role, let leader = model.broker(id),
      let partition = leader.partition, partition.isLeader, partition.leaderEpoch == outcome.leaderEpoch
    else { return }
    try leader.look()
    let start = partition.log.logStartOffset.value
    for batch in follower.batches where batch.base >= start && !leader.batches.contains(batch) {
      throw Violation(
        invariant: "R8", what: "\(follower.id.value) goes on behind \(batch), which \(id.value) does not have")
    }
  }

  func cut(_ truncation: Partition.Truncation?, _ broker: ModelBroker) throws {
    guard let truncation, truncation.isBelowHighWatermark, !broker.isForgiven else { return }
    throw Violation(
      invariant: "R8", what: "\(broker.id.value) cuts to \(truncation.to.value), below its high watermark")
  }

  func refused(_ code: ErrorCode, by broker: ModelBroker, _ model: ReplicationModel) throws {
    let image = model.controller.image
    guard image.leader == broker.id, broker.partition?.leaderEpoch == image.leaderEpoch, !broker.isForgiven else {
      return
    }
    let isAllowed = [.notEnoughReplicas, .notLeaderOrFollower, .kafkaStorageError].contains(code)
    if !isAllowed { throw Violation(invariant: "I1", what: "\(broker.id.value) refuses a producer: \(code)") }
  }
}
