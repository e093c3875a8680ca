internal import Cluster
internal import Primitives
internal import Records

/// A batch of a log, as far as the checks look at it.
struct SeenBatch: Equatable, CustomStringConvertible {
  let base: Int64
  let end: Int64
  let checksum: UInt32
  let epoch: Int32
  let producer: Int64
  let sequence: Int32

  init(_ header: RecordBatchHeader) {
    base = header.baseOffset.value
    end = header.nextOffset.value
    checksum = header.checksum
    epoch = header.partitionLeaderEpoch.value
    producer = header.producerID.value
    sequence = header.baseSequence
  }

  var description: String { "\(base)..<\(end) of term \(epoch), producer \(producer) sequence \(sequence)" }
}

/// What was ever below a high watermark of a partition: the one true log.
struct History {
  let partition: TopicPartition
  private(set) var batches: [SeenBatch] = []
  private var lastSequences: [Int64: Int32] = [:]
  /// Who leads in each term.
  var leaders: [Int32: BrokerID] = [:]
  /// An unclean election was made, or losses were not kept to what may be lost: records may be gone.
  var isForgiven = false
  /// How far any replica said that it may be seen.
  var shownEnd: Int64 = 0
  /// Records below were deleted, or that was asked for.
  var deletedBelow: Int64 = 0
  /// Where nothing is promised: what each term wrote at each offset.
  private var written: [Int64: [Int32: SeenBatch]] = [:]

  init(_ partition: TopicPartition) { self.partition = partition }

  var end: Int64 { batches.last?.end ?? 0 }

  /// The batch that holds an offset, or the first one behind it.
  func place(of offset: Int64) -> Int {
    var low = 0
    var high = batches.count
    while low < high {
      let middle = (low + high) / 2
      if batches[middle].end <= offset { low = middle + 1 } else { high = middle }
    }
    return low
  }

  func batch(holding offset: Int64) -> SeenBatch? {
    let place = place(of: offset)
    guard place < batches.count, batches[place].base <= offset else { return nil }
    return batches[place]
  }

  /// A replica says that this batch is safe. What differs, if anything.
  mutating func take(_ batch: SeenBatch, of broker: BrokerID) -> Violation? {
    if isForgiven { return takeForgiven(batch, of: broker) }
    if batch.base < end {
      guard let known = self.batch(holding: batch.base), known == batch else {
        return Violation(
          invariant: "R7",
          what: "\(partition) of broker \(broker.value) has \(batch) below its high watermark, the others have "
            + "\(self.batch(holding: batch.base)?.description ?? "something else")")
      }
      return nil
    }
    // Where the log begins later, what came before was shown and deleted within one turn.
    if batch.base > end, batch.base > deletedBelow {
      return Violation(
        invariant: "R10", what: "\(partition) of broker \(broker.value) has a hole from \(end) to \(batch.base)")
    }
    batches.append(batch)
    return checkSequence(batch)
  }

  private mutating func checkSequence(_ batch: SeenBatch) -> Violation? {
    guard batch.producer >= 0 else { return nil }
    let next = lastSequences[batch.producer] ?? 0
    guard batch.sequence == next else {
      return Violation(
        invariant: "I1", what: "\(partition) has \(batch) where sequence \(next) has to be")
    }
    lastSequences[batch.producer] = batch.sequence + Int32(batch.end - batch.base)
    return nil
  }

  /// Losses are forgiven, another value at the same offset of the same term is not.
  private mutating func takeForgiven(_ batch: SeenBatch, of broker: BrokerID) -> Violation? {
    if let known = written[batch.base]?[batch.epoch], known.checksum != batch.checksum {
      return Violation(
        invariant: "R10", what: "\(partition): broker \(broker.value) has \(batch), and there was \(known)")
    }
    written[batch.base, default: [:]][batch.epoch] = batch
    return nil
  }

  mutating func forgive() {
    isForgiven = true
    batches = []
  }
}
