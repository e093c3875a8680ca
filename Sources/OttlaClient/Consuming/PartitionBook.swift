/// How far a consumer is in each partition: what was handed over, what is processed, and what librdkafka was told of it.
///
/// A partition's entry stays where it is; each time the partition is given, taken away, or read from elsewhere, its epoch
/// moves on, and marks of records from before mean nothing any more.
struct PartitionBook {
  struct Entry {
    let partition: TopicPartition
    var epoch: UInt64 = 0
    var isAssigned = false
    var isPaused = false
    /// Behind the last record handed over; nil before the first one.
    var handed: Int64?
    /// Up to here records are processed, and may be committed.
    var processed: Int64?
    /// What librdkafka was told last.
    var stored: Int64?
    /// Whether all that was there once is handed over.
    var hasReachedEnd = false

    fileprivate mutating func beginAnew() {
      epoch &+= 1
      (handed, processed, stored) = (nil, nil, nil)
      hasReachedEnd = false
    }
  }

  private(set) var entries: [Entry] = []
  /// The partitions of the entries, in a list of their own: records share it.
  private(set) var partitions: [TopicPartition] = []
  private var slots: [TopicPartition: Int] = [:]

  /// The place of `partition`, made where there is none yet.
  mutating func slot(of partition: TopicPartition) -> Int {
    if let known = slots[partition] { return known }
    entries.append(Entry(partition: partition))
    partitions.append(partition)
    slots[partition] = entries.count - 1
    return entries.count - 1
  }

  /// The partitions that are this consumer's at present, in order.
  var assigned: [TopicPartition] { entries.filter(\.isAssigned).map(\.partition).sorted() }
  /// Those of them that rest, in order.
  var paused: [TopicPartition] { entries.filter { $0.isAssigned && $0.isPaused }.map(\.partition).sorted() }

  /// Takes `partitions` in, each from its beginning.
  mutating func assign(_ partitions: [TopicPartition]) {
    for partition in partitions {
      let slot = slot(of: partition)
      entries[slot].beginAnew()
      entries[slot].isAssigned = true
      entries[slot].isPaused = false
    }
  }

  /// Lets `partitions` go.
  mutating func revoke(_ partitions: [TopicPartition]) {
    for partition in partitions {
      let slot = slot(of: partition)
      entries[slot].beginAnew()
      entries[slot].isAssigned = false
      entries[slot].isPaused = false
    }
  }

  /// Reading goes on elsewhere in `partition`.
  mutating func seek(_ partition: TopicPartition) { entries[slot(of: partition)].beginAnew() }

  mutating func setPaused(_ slot: Int, _ isPaused: Bool) { entries[slot].isPaused = isPaused }

  /// What the record at `offset` is known by in this time of holding its partition.
  func mark(_ slot: Int, _ offset: Int64) -> RecordMark {
    RecordMark(slot: slot, epoch: entries[slot].epoch, offset: offset)
  }

  /// The record goes to the reader.
  mutating func handOver(_ mark: RecordMark) { entries[mark.slot].handed = mark.offset &+ 1 }

  /// The end of a partition was reached at `offset`: what comes before it is handed over, and the loop has asked for more.
  ///
  /// - Parameter isStored: whether asking for more says that a record is processed. Then the end is a place to begin at, where no record
  ///   was handed over: else a group that found nothing would begin at the end again, past what was sent in between.
  mutating func reachEnd(_ slot: Int, _ offset: Int64, isStored: Bool) {
    guard entries[slot].isAssigned else { return }
    entries[slot].hasReachedEnd = true
    guard isStored else { return }
    if entries[slot].handed == nil, entries[slot].processed == nil { entries[slot].processed = offset }
  }

  /// A record, and all before it in its partition, is done with. What does not belong to this time of holding is ignored.
  mutating func finish(_ mark: RecordMark) {
    guard holds(mark) else { return }
    if (entries[mark.slot].processed ?? -1) <= mark.offset { entries[mark.slot].processed = mark.offset &+ 1 }
  }

  /// Whether the record's partition has been this consumer's ever since it was handed over.
  func holds(_ mark: RecordMark) -> Bool {
    entries.indices.contains(mark.slot) && entries[mark.slot].epoch == mark.epoch && entries[mark.slot].isAssigned
  }

  /// What librdkafka has not been told yet, in order; it counts as told from now on.
  mutating func takeUnstored() -> [(partition: TopicPartition, offset: Int64)] {
    var result: [(partition: TopicPartition, offset: Int64)] = []
    for slot in entries.indices where entries[slot].isAssigned {
      guard let processed = entries[slot].processed, processed != entries[slot].stored else { continue }
      entries[slot].stored = processed
      result.append((entries[slot].partition, processed))
    }
    return result
  }

  /// Behind the last record handed over, for each partition that has handed one over, in order.
  var positions: [(partition: TopicPartition, offset: Int64)] {
    entries.compactMap { entry in
      guard entry.isAssigned, let handed = entry.handed else { return nil }
      return (entry.partition, handed)
    }.sorted { $0.partition < $1.partition }
  }
}
