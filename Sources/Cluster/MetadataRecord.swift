package import KafkaProtocol
package import Primitives

/// One change of the cluster's metadata: an entry of the metadata log.
///
/// On disk and in a coordination service: the type (int16), then the record's fields at version 0.
package enum MetadataRecord: Sendable, Equatable {
  /// The cluster has an id.
  case cluster(ClusterRecord)
  /// A broker registered, for the first time or again.
  case broker(BrokerRecord)
  /// A topic was made; its configs and partitions follow.
  case topic(TopicRecord)
  /// A partition was made, or is otherwise now.
  case partition(PartitionRecord)
  /// A topic went, with its partitions and configs.
  case removeTopic(RemoveTopicRecord)
  /// A config was set, or removed (no value).
  case config(ConfigRecord)
  /// Producer ids up to the one given were handed out.
  case producerIds(ProducerIdsRecord)
  /// A broker is no part of the cluster any more.
  case removeBroker(RemoveBrokerRecord)

  /// The number in front of the record.
  package var type: Int16 {
    switch self {
    case .cluster: 1
    case .broker: 2
    case .topic: 3
    case .partition: 4
    case .removeTopic: 5
    case .config: 6
    case .producerIds: 7
    case .removeBroker: 8
    }
  }

  /// The record's bytes, its type first.
  package func encode() -> [UInt8] {
    let buffer = OutputBuffer(capacity: 128)
    encode(into: buffer)
    return [UInt8](buffer.bytes)
  }

  /// Appends the record's bytes, its type first, to `buffer`.
  package func encode(into buffer: OutputBuffer) {
    buffer.reserve(2)
    (buffer.base + buffer.end).storeBigEndian(type, at: 0)
    buffer.end += 2
    var writer = Writer(buffer)
    switch self {
    case .cluster(let record): record.encode(into: &writer, version: 0)
    case .broker(let record): record.encode(into: &writer, version: 0)
    case .topic(let record): record.encode(into: &writer, version: 0)
    case .partition(let record): record.encode(into: &writer, version: 0)
    case .removeTopic(let record): record.encode(into: &writer, version: 0)
    case .config(let record): record.encode(into: &writer, version: 0)
    case .producerIds(let record): record.encode(into: &writer, version: 0)
    case .removeBroker(let record): record.encode(into: &writer, version: 0)
    }
  }

  /// Reads what `encode` wrote; nil for a type this release does not know, for damage, and for bytes left over.
  package static func decode(_ bytes: UnsafeRawBufferPointer) -> MetadataRecord? {
    guard bytes.count >= 2, let base = bytes.baseAddress else { return nil }
    var reader = Reader(UnsafeRawBufferPointer(rebasing: bytes[2...]))
    guard let record = decode(type: base.bigEndian(Int16.self, at: 0), from: &reader) else { return nil }
    return reader.failure == nil && reader.remaining == 0 ? record : nil
  }

  /// Reads what `encode` wrote; nil for a type this release does not know, for damage, and for bytes left over.
  package static func decode(_ bytes: [UInt8]) -> MetadataRecord? {
    bytes.withUnsafeBytes { decode($0) }
  }

  private static func decode(type: Int16, from reader: inout Reader) -> MetadataRecord? {
    switch type {
    case 1: .cluster(ClusterRecord.decode(from: &reader, version: 0))
    case 2: .broker(BrokerRecord.decode(from: &reader, version: 0))
    case 3: .topic(TopicRecord.decode(from: &reader, version: 0))
    case 4: .partition(PartitionRecord.decode(from: &reader, version: 0))
    case 5: .removeTopic(RemoveTopicRecord.decode(from: &reader, version: 0))
    case 6: .config(ConfigRecord.decode(from: &reader, version: 0))
    case 7: .producerIds(ProducerIdsRecord.decode(from: &reader, version: 0))
    case 8: .removeBroker(RemoveBrokerRecord.decode(from: &reader, version: 0))
    default: nil
    }
  }
}
