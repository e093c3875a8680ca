internal import Cluster
internal import Configuration
internal import Effects
internal import Observability
internal import Primitives
internal import Replication
internal import Storage

/// Opening logs after a stop that was not clean: it may take seconds, and what is found has to be made safe.
///
/// Can become: over, when the first image of a cluster has been applied.
struct OpeningProgress {
  var isOver = false
  /// What was found, if the stop before was not clean, has been brought to the disk.
  var isSynced = false
  var logCount = 0
  var checkedBytes: Int64 = 0
  var saidAt: Instant
}

extension Shard {
  /// A log has been opened: says once a second how far the shard is.
  func noteOpened(_ log: Log) {
    guard !opening.isOver else { return }
    opening.logCount += 1
    opening.checkedBytes += log.recovered.checkedBytes
    let time = environment.time.now()
    guard time.milliseconds(since: opening.saidAt) >= 1000 else { return }
    opening.saidAt = time
    let total = image.topicNames.reduce(0) { total, name in
      guard let topic = image.topic(named: name) else { return total }
      return total + topic.partitions.indices.count { owner(of: topic.id, $0) == index }
    }
    environment.logger.info(
      "shard \(index) has opened \(opening.logCount) of \(total) logs and checked \(opening.checkedBytes >> 20) MiB")
  }

  /// Brings what the logs of all shards hold to the disk, then calls `then`. What a process that died had written may be in
  /// the page cache only: no consumer may see it before it is safe.
  func syncAll(then: @escaping () -> Void) {
    var missing = config.logDirs.count
    for (folder, directory) in config.logDirs.enumerated() {
      onDisk(folder, .syncAll(directory)) { [unowned self] result in
        if case .failed(let error) = result { failFolder(folder, error) }
        missing -= 1
        guard missing == 0 else { return }
        for shard in 0..<count where shard != index { environment.links.send(.synced, to: shard) }
        noteSynced()
        then()
      }
    }
  }

  /// What logs held when they were opened is on the disk now.
  func noteSynced() {
    opening.isSynced = true
    for hosted in hostedPartitions {
      hosted.partition.log.noteSyncedSinceOpen()
      noteSafe(hosted)
    }
    tellRecoveryPoints()
    haveToldRecoveryPoints()
  }
}
