internal import KafkaProtocol
internal import Primitives
internal import Records

/// What clients were told, held against what is safe (R1, R9, R10, I1).
final class ClientChecker {
  private unowned let simulator: ClusterSimulator
  private var producerIDs: Set<Int64> = []
  private var listedEnds: [TopicPartition: Int64] = [:]
  private(set) var acknowledgedCount = 0
  private(set) var seenCount = 0
  /// Acknowledged, and not seen as safe yet: the broker may have ended with the turn that answered.
  private var unconfirmed: [Acknowledgement] = []

  private struct Acknowledgement {
    let partition: TopicPartition
    let baseOffset: Int64
    let producer: Int64
    let sequence: Int32
    let count: Int32
  }

  init(_ simulator: ClusterSimulator) { self.simulator = simulator }

  private func violate(_ invariant: String, _ what: String) { simulator.checkers.violate(invariant, what) }

  private func history(_ partition: TopicPartition) -> History? {
    guard let history = simulator.checkers.replicas.history(of: partition), !history.isForgiven else { return nil }
    return history
  }

  func gaveProducerID(_ id: Int64, epoch: Int16) {
    if !producerIDs.insert(id).inserted { violate("I1", "the producer id \(id) was given twice") }
  }

  func acknowledged(
    _ partition: TopicPartition, baseOffset: Int64, producerID: Int64, sequence: Int32, count: Int32
  ) {
    acknowledgedCount += 1
    let told = Acknowledgement(
      partition: partition, baseOffset: baseOffset, producer: producerID, sequence: sequence, count: count)
    guard let history = history(partition), !holds(told, history) else { return }
    if baseOffset >= 0, baseOffset < history.end { return lost(told, history) }
    unconfirmed.append(told)
  }

  private func holds(_ told: Acknowledgement, _ history: History) -> Bool {
    let batch =
      told.baseOffset >= 0
      ? history.batch(holding: told.baseOffset)
      : history.batches.last { $0.producer == told.producer && $0.sequence == told.sequence }
    guard let batch else { return false }
    return batch.producer == told.producer && batch.sequence == told.sequence && batch.end - batch.base == told.count
  }

  private func lost(_ told: Acknowledgement, _ history: History) {
    violate(
      "R1", "\(told.partition): sequence \(told.sequence) of producer \(told.producer) was acknowledged at "
        + "\(told.baseOffset), where \(history.batch(holding: told.baseOffset)?.description ?? "nothing") is safe")
  }

  /// R1: everything that was acknowledged is there at the end.
  func checkAcknowledgements() throws(Violation) {
    for told in unconfirmed {
      if let history = history(told.partition), !holds(told, history) { lost(told, history) }
    }
    if let found = simulator.checkers.violation { throw found }
  }

  /// A producer all of whose batches before were acknowledged was told that one is missing.
  func lostSequence(_ partition: TopicPartition, producerID: Int64, _ code: ErrorCode) {
    guard history(partition) != nil else { return }
    violate("I1", "\(partition): producer \(producerID) was told \(code.name), and everything before was acknowledged")
  }

  func saw(_ partition: TopicPartition, _ header: RecordBatchHeader, isSound: Bool) {
    seenCount += 1
    guard isSound else { return violate("S4", "a consumer of \(partition) got a damaged batch at \(header.baseOffset.value)") }
    guard let history = history(partition) else { return }
    let batch = SeenBatch(header)
    guard let known = history.batch(holding: batch.base) else {
      return violate("R9", "a consumer of \(partition) got \(batch), and only \(history.end) is safe")
    }
    if known != batch { violate("R10", "a consumer of \(partition) got \(batch), where \(known) is") }
  }

  func outOfRange(_ partition: TopicPartition, _ position: Int64) {
    guard let history = history(partition), position <= history.end else { return }
    violate("R1", "\(partition): a consumer that had read up to \(position) was told that there is no such offset")
  }

  /// G2: what was acknowledged is there, or something newer.
  func lostCommit(_ group: String, _ log: TopicPartition, found: Int64, known: Int64) {
    guard history(log) != nil else { return }
    violate("G2", "group \(group) has \(found) as its offset, \(known) was acknowledged")
  }

  func listedEnd(_ partition: TopicPartition) -> Int64 { listedEnds[partition] ?? 0 }

  func listed(_ partition: TopicPartition, _ offset: Int64, knownBefore: Int64) {
    listedEnds[partition] = max(listedEnds[partition] ?? 0, offset)
    guard let history = history(partition) else { return }
    if offset < knownBefore {
      violate("R9", "the end of \(partition) was told as \(offset), after it had been \(knownBefore)")
    }
    if offset > history.end { violate("R9", "the end of \(partition) was told as \(offset), and \(history.end) is safe") }
  }
}
