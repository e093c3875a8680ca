internal import OttlaClient

/// How far a replay has to go in each partition: to what was the end when it began.
struct ReplayEnds {
  private var open: [TopicPartition: Range<Int64>] = [:]

  /// Nothing is left to be read.
  var isOver: Bool { open.isEmpty }

  /// Where reading begins, in the order of partitions.
  var starts: [(partition: TopicPartition, offset: Int64)] {
    open.map { ($0.key, $0.value.lowerBound) }.sorted { $0.partition < $1.partition }
  }

  mutating func add(_ partition: TopicPartition, _ offsets: Range<Int64>) {
    if !offsets.isEmpty { open[partition] = offsets }
  }

  /// Everything before `offset` is done already.
  mutating func begin(_ partition: TopicPartition, at offset: Int64) {
    guard let offsets = open[partition] else { return }
    open[partition] = offset < offsets.upperBound ? max(offset, offsets.lowerBound)..<offsets.upperBound : nil
  }

  /// A record has been read; false for one behind the end.
  mutating func reach(_ partition: TopicPartition, _ offset: Int64) -> Bool {
    guard let offsets = open[partition], offset < offsets.upperBound else {
      open[partition] = nil
      return false
    }
    if offset + 1 == offsets.upperBound { open[partition] = nil }
    return true
  }
}
