package import Primitives

/// What a partition remembers of one idempotent or transactional producer (KIP-98): its epoch and its last five batches.
final class ProducerState {
  /// One remembered batch.
  struct Batch: Hashable, Sendable {
    var lastSequence: Int32
    var lastOffset: Offset
    var offsetDelta: Int32
    var timestamp: Timestamp

    var baseOffset: Offset { lastOffset.advanced(by: -Int64(offsetDelta)) }
    /// Sequences wrap from Int32.max to 0.
    var baseSequence: Int32 { Int32(truncatingIfNeeded: Int64(lastSequence) &- Int64(offsetDelta)) & Int32.max }
  }

  /// Batches remembered: as many as a producer may have in flight.
  static let batchCountMax = 5

  var epoch: ProducerEpoch
  /// When it last appended, by the broker's clock.
  var lastUpdate: Timestamp
  /// The epoch of the transaction coordinator that wrote the last marker; -1 for none.
  var coordinatorEpoch: Int32 = -1
  /// Where its open transaction begins in this partition.
  var currentTransactionFirstOffset: Offset?
  private(set) var batchCount = 0
  /// A ring: the newest is at `(next - 1) % 5`.
  private var next = 0
  private var batches: InlineArray<5, Batch>

  init(epoch: ProducerEpoch, lastUpdate: Timestamp) {
    self.epoch = epoch
    self.lastUpdate = lastUpdate
    batches = InlineArray(repeating: Batch(lastSequence: -1, lastOffset: Offset(-1), offsetDelta: 0, timestamp: .none))
  }

  /// The batch that came `age` batches before the newest.
  func batch(_ age: Int) -> Batch { batches[(next + Self.batchCountMax * 2 - 1 - age) % Self.batchCountMax] }

  var last: Batch? { batchCount == 0 ? nil : batch(0) }
  /// -1 when it has no batch in its present epoch.
  var lastSequence: Int32 { last?.lastSequence ?? -1 }

  func add(_ batch: Batch) {
    batches[next] = batch
    next = (next + 1) % Self.batchCountMax
    batchCount = min(batchCount + 1, Self.batchCountMax)
  }

  /// A newer epoch begins: its sequences start again.
  func begin(_ newEpoch: ProducerEpoch) {
    epoch = newEpoch
    batchCount = 0
  }
}

/// A producer as DescribeProducers shows it.
package struct ActiveProducer: Hashable, Sendable {
  package let producerID: ProducerID
  package let producerEpoch: ProducerEpoch
  /// -1 when it has no batch in its present epoch.
  package let lastSequence: Int32
  /// When it last appended, by the broker's clock.
  package let lastTimestamp: Timestamp
  /// Of the last transaction marker; -1 for none.
  package let coordinatorEpoch: Int32
  /// Where its open transaction begins; nil for none.
  package let currentTransactionStartOffset: Offset?
}

/// What is to be done with a batch of an idempotent producer.
package enum ProducerVerdict: Hashable, Sendable {
  case append
  /// It is in the log already: the answer of the first append is given again.
  case duplicate(baseOffset: Offset, timestamp: Timestamp)
  case refuse(KafkaError)
  /// It is in the log already, somewhere below that offset: the answer of the first append is not known any more, and the
  /// error says so.
  case forgottenDuplicate(below: Offset, KafkaError)
}
