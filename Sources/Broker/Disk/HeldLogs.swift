internal import Cluster
internal import Primitives
internal import Storage

/// New logs that are not made yet, for the checkpoint files may still speak of their names: of a deleted topic's log, or of a
/// replica that was here before.
///
/// Without this: a broker hears of a deletion and of a new topic under the old name, makes the new log, writes records into it,
/// and dies before the files are written anew. At the next start the new log begins where the old one's records had been deleted,
/// and what lies below the old one's recovery point is believed without a look. So the order is: all shards have let the old log go,
/// the files have forgotten it, the new log is made. It is `.opening` meanwhile, a few milliseconds where the disk has room.
struct HeldLogs {
  /// Topics that are gone, and replicas that went to other brokers: by which image they went last.
  private(set) var goneTopics: [String: UInt64] = [:]
  private(set) var gonePartitions: [TopicPartition: UInt64] = [:]
  /// What the files said when the broker started has been forgotten of these.
  private var clearedTopics: Set<String> = []
  private var clearedPartitions: Set<TopicPartition> = []
  /// The last image that was applied.
  private(set) var image: UInt64 = 0
  /// What the keeper of the files is to take out of them.
  var toForget: [TopicPartition] = []
  private var waiting: Set<Reopening.Place> = []

  mutating func begin(_ image: UInt64) { self.image = image }

  mutating func topicsAreGone(_ names: some Sequence<String>) { for name in names { goneTopics[name] = image } }

  mutating func isGone(_ partition: TopicPartition) {
    gonePartitions[partition] = image
    toForget.append(partition)
  }

  /// Whether another log may still have this name, or lines in the files that all shards have yet to see rewritten.
  func isHeld(_ partition: TopicPartition) -> Bool {
    goneTopics[partition.topic] != nil || gonePartitions[partition] != nil
  }

  /// Whether what the files said when the broker started may still be there.
  func isUncleared(_ partition: TopicPartition) -> Bool {
    !clearedTopics.contains(partition.topic) && !clearedPartitions.contains(partition)
  }

  func isWaiting(_ place: Reopening.Place) -> Bool { waiting.contains(place) }
  mutating func hold(_ place: Reopening.Place) { waiting.insert(place) }

  /// The files speak no more of what was gone by that image. Which logs may be tried again.
  mutating func release(upTo image: UInt64, _ start: StartMode) -> Set<Reopening.Place> {
    for (name, gone) in goneTopics where gone <= image {
      goneTopics[name] = nil
      if start.spokenTopics.contains(name) { clearedTopics.insert(name) }
    }
    for (partition, gone) in gonePartitions where gone <= image {
      gonePartitions[partition] = nil
      if start.speaks(of: partition) { clearedPartitions.insert(partition) }
    }
    defer { waiting = [] }
    return waiting
  }
}

extension Shard {
  /// Whether a log has to wait that would be made now.
  ///
  /// - Parameter isNew: whether what is in the folder is known to be nobody's, or another's.
  func mustWait(_ topicPartition: TopicPartition, isNew: Bool) -> Bool {
    if heldLogs.isHeld(topicPartition) { return true }
    guard isNew, startMode.speaks(of: topicPartition), heldLogs.isUncleared(topicPartition) else { return false }
    heldLogs.isGone(topicPartition)
    return true
  }

  /// Tells the keeper of the files which lines are nobody's any more.
  func forgetLines() {
    guard !heldLogs.toForget.isEmpty else { return }
    let partitions = heldLogs.toForget
    heldLogs.toForget = []
    if index == Self.controllerShard {
      forgetCheckpoints(of: partitions, image: heldLogs.image)
    } else {
      environment.links.send(.forgetCheckpoints(partitions, image: heldLogs.image), to: Self.controllerShard)
    }
  }

  /// The files have forgotten what was gone by that image: logs that waited for it are made.
  func checkpointsForgotten(upTo image: UInt64) {
    for place in heldLogs.release(upTo: image, startMode).sorted() { logsToOpen.add(place) }
  }
}
