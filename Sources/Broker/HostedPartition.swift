internal import Cluster
internal import Configuration
internal import Primitives
internal import Replication
internal import Storage

/// A partition that this shard owns, with what the shard remembers around it.
final class HostedPartition {
  let partition: Partition
  /// Fetches that wait for this partition to grow; each connection at most once.
  var watchers: [FetchWatcher] = []
  /// Fetches of followers, which wait for what is written, not for what may be seen.
  var followerWatchers: [FetchWatcher] = []
  /// Questions that wait until it is known that this broker leads.
  var leadershipWaits: [LeadershipWait] = []
  /// Its topic has been deleted: what waits for it learns that, not that a disk failed.
  var isGone = false
  /// The leader that it is copied from; nil while it is not.
  var fetchedFrom: BrokerID?
  /// Whether its leader had more that may be seen when it was last fetched; unknown counts as yes.
  var isBehindLeader = true
  /// Since when, and when last, nothing came of fetching it.
  var fetchFails: (since: Instant, lastAt: Instant)?
  /// Whether it is among those whose isr may change this turn.
  var isInIsrList = false
  /// Whether this turn has appended to it.
  var isDirty = false
  /// The folder that holds it, by its place in log.dirs.
  let folder: Int
  /// Answers that wait for the high watermark, by the offsets they wait for.
  var waits: [AppendWait] = []
  /// Whether the clock looks after those of `waits` that have a deadline.
  var isInDeadlines = false
  var flush = FlushState.idle
  /// Since when no flush can begin, or end, though nothing was lost.
  var flushHeldSince: Instant?
  /// Since when there is something in the file that is not on the disk.
  var unflushedSince: Instant?
  /// Whether the clock looks after that.
  var isInUnflushed = false
  /// Whether its log begins where no file says so yet: records were deleted, and that is not written down.
  var isLogStartUnkept = false
  /// Whether a segment is being read again because a read found damage there.
  var isSuspect = false
  /// Whether batches of another replica are on their way into its files: the log must not be cut meanwhile.
  var isBeingRepaired = false
  /// Its log is not cleaned before that.
  var mayBeCleanedFrom = Instant(nanoseconds: 0)
  /// The recovery point that was last told to who keeps the checkpoints, with what a start needs to begin there.
  var toldRecoveryPoint: Offset
  /// Whether the checkpoint file knows that something of the log is on the disk, or is about to.
  var isFlushNoted: Bool

  /// - Parameter noted: the recovery point that the checkpoint file had when the broker started.
  init(_ partition: Partition, folder: Int, noted: Offset?) {
    self.partition = partition
    self.folder = folder
    let point = partition.log.recoveryPoint
    isFlushNoted = min(noted ?? .zero, point) > .zero
    toldRecoveryPoint = isFlushNoted ? point : .zero
  }

  var key: TopicIDPartition { TopicIDPartition(partition.topicID, partition.topicPartition.partition) }

  var place: Reopening.Place {
    Reopening.Place(topicID: partition.topicID, partition: partition.topicPartition.partition)
  }

  func watch(_ watcher: FetchWatcher, asFollower: Bool) {
    if asFollower { Self.add(watcher, to: &followerWatchers) } else { Self.add(watcher, to: &watchers) }
  }

  private static func add(_ watcher: FetchWatcher, to list: inout [FetchWatcher]) {
    if let known = list.firstIndex(where: { $0.connection == watcher.connection && $0.shard == watcher.shard }) {
      list[known] = watcher
    } else {
      list.append(watcher)
    }
  }
}

/// Where a partition lives.
enum PartitionPlace {
  /// On this shard.
  case here(HostedPartition)
  /// On that shard of this broker.
  case shard(Int)
  /// On this shard, when its log has been opened; see `LogsToOpen`.
  case opening
  /// On this broker, but its log cannot be used.
  case offline
  /// On another broker, or led by none.
  case elsewhere
}

/// A topic as this shard routes requests for it.
final class RoutedTopic {
  let name: String
  let id: UUID
  var places: [PartitionPlace]
  /// Whose followers are held back; see `Throttling`.
  var throttledLeaders: ThrottledReplicas
  init(name: String, id: UUID, places: [PartitionPlace], throttledLeaders: ThrottledReplicas) {
    self.name = name
    self.id = id
    self.places = places
    self.throttledLeaders = throttledLeaders
  }

  func place(_ partition: Int32) -> PartitionPlace? {
    places.indices.contains(Int(partition)) ? places[Int(partition)] : nil
  }
}
