package import Primitives

/// The record of a control batch that ends a transaction: the marker behind the records of an aborted or committed one
/// (KIP-98; Kafka's `ControlRecordType` and `EndTransactionMarker`).
package struct ControlRecord: Hashable, Sendable {
  package enum Kind: Int16, Sendable {
    case abort = 0
    case commit = 1
  }

  package let kind: Kind
  /// The epoch of the transaction coordinator that wrote the marker.
  package let coordinatorEpoch: Int32

  package init(_ kind: Kind, coordinatorEpoch: Int32) {
    self.kind = kind
    self.coordinatorEpoch = coordinatorEpoch
  }

  /// Reads a marker; nil for other control records, which readers pass over, and for what is none. Versions above 0 may
  /// only have added fields at the end.
  package init?(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
    guard key.count >= 4, value.count >= 6, let keyBase = key.baseAddress, let valueBase = value.baseAddress,
      keyBase.bigEndian(Int16.self, at: 0) >= 0, valueBase.bigEndian(Int16.self, at: 0) >= 0,
      let kind = Kind(rawValue: keyBase.bigEndian(Int16.self, at: 2))
    else { return nil }
    self.kind = kind
    coordinatorEpoch = valueBase.bigEndian(Int32.self, at: 2)
  }

  /// Version 0, then the kind.
  package var key: [UInt8] {
    var bytes: [UInt8] = [0, 0]
    bytes.appendBigEndian(kind.rawValue)
    return bytes
  }

  /// Version 0, then the coordinator's epoch.
  package var value: [UInt8] {
    var bytes: [UInt8] = [0, 0]
    bytes.appendBigEndian(coordinatorEpoch)
    return bytes
  }

  /// The batch that carries this marker for a producer, to be appended as it is.
  package func batch(
    producerID: ProducerID, producerEpoch: ProducerEpoch, timestamp: Timestamp, baseOffset: Offset = .zero,
    leaderEpoch: LeaderEpoch = .none
  ) -> [UInt8] {
    var builder = RecordBatchBuilder(
      producerID: producerID, producerEpoch: producerEpoch, isTransactional: true, isControl: true)
    builder.append(key: key, value: value, timestamp: timestamp)
    return builder.build(baseOffset: baseOffset, leaderEpoch: leaderEpoch)
  }
}
