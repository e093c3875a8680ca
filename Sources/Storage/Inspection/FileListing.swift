package import Effects
internal import Primitives

/// What a small file of a broker holds, entry by entry, for people to read: indexes, producer snapshots, aborted
/// transactions, leader epochs and checkpoints.
package enum FileListing {
  package enum Field: Hashable, Sendable {
    case number(Int64)
    case text(String)
  }

  package typealias Entry = [(name: String, value: Field)]

  /// Whether a file of this name can be listed.
  package static func knows(_ name: String) -> Bool {
    [LogFileName.offsetIndex, LogFileName.timeIndex, LogFileName.producerSnapshot, ".txnindex"].contains {
      LogFileName.baseOffset(of: name, suffix: $0) != nil
    } || name == LogFileName.leaderEpochs || name == LogFileName.partitionMetadata
      || name.hasSuffix("-offset-checkpoint")
  }

  /// The entries of the file; nil when it is damaged. Throws what reading it threw.
  package static func entries(_ path: String, _ fileSystem: any FileSystem) throws(IOError) -> [Entry]? {
    let name = path.split(separator: "/").last.map(String.init) ?? path
    if let base = LogFileName.baseOffset(of: name, suffix: LogFileName.offsetIndex) {
      let (entries, oddByteCount) = try SegmentIndexes.offsetEntries(path, baseOffset: base.value, fileSystem)
      guard oddByteCount == 0 else { return nil }
      return entries.map { [("offset", .number($0.offset)), ("position", .number($0.position))] }
    }
    if let base = LogFileName.baseOffset(of: name, suffix: LogFileName.timeIndex) {
      let (entries, oddByteCount) = try SegmentIndexes.timeEntries(path, baseOffset: base.value, fileSystem)
      guard oddByteCount == 0 else { return nil }
      return entries.map { [("timestamp", .number($0.timestamp)), ("offset", .number($0.offset))] }
    }
    let bytes = try fileSystem.readAll(path)
    if LogFileName.baseOffset(of: name, suffix: LogFileName.producerSnapshot) != nil { return producers(bytes) }
    if LogFileName.baseOffset(of: name, suffix: ".txnindex") != nil { return aborted(bytes) }
    return listed(name, String(decoding: bytes, as: UTF8.self))
  }

  private static func listed(_ name: String, _ text: String) -> [Entry]? {
    switch name {
    case LogFileName.leaderEpochs:
      return LeaderEpochs(checkpoint: text)?.entries.map {
        [("epoch", .number(Int64($0.epoch.value))), ("startOffset", .number($0.startOffset.value))]
      }
    case LogFileName.partitionMetadata:
      return PartitionMetadata.topicID(in: text).map { [[("topicId", .text($0.description))]] }
    default:
      let sorted = OffsetCheckpoint.parse(text)?.sorted {
        ($0.key.topic, $0.key.partition) < ($1.key.topic, $1.key.partition)
      }
      return sorted?.map {
        [
          ("topic", .text($0.key.topic)), ("partition", .number(Int64($0.key.partition))),
          ("offset", .number($0.value.value)),
        ]
      }
    }
  }

  private static func producers(_ bytes: [UInt8]) -> [Entry]? {
    ProducerSnapshot.decode(bytes)?.map { id, state in
      [
        ("producerId", .number(id.value)), ("producerEpoch", .number(Int64(state.epoch.value))),
        ("lastSequence", .number(Int64(state.lastSequence))),
        ("lastOffset", .number(state.last?.lastOffset.value ?? -1)),
        ("offsetDelta", .number(Int64(state.last?.offsetDelta ?? 0))),
        ("timestamp", .number(state.lastUpdate.milliseconds)),
        ("coordinatorEpoch", .number(Int64(state.coordinatorEpoch))),
        ("transactionFirstOffset", .number(state.currentTransactionFirstOffset?.value ?? -1)),
      ]
    }
  }

  private static func aborted(_ bytes: [UInt8]) -> [Entry]? {
    PartitionFileCheck.abortedTransactions(in: bytes)?.map {
      [
        ("producerId", .number($0.producerID)), ("firstOffset", .number($0.firstOffset)),
        ("lastOffset", .number($0.lastOffset)), ("lastStableOffset", .number($0.lastStableOffset)),
      ]
    }
  }
}
