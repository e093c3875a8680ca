internal import Cluster
internal import Configuration
internal import Effects
internal import Observability
internal import Primitives
internal import Replication
internal import Storage

/// The checkpoint files of the data folders, kept by one shard and written on the disk's threads.
///
/// All of them are hints: one that is older than the truth costs a longer start, never a record. So nobody waits for them,
/// and while one is being written changes gather for the next.
extension Shard {
  // MARK: recovery points

  func checkpointTimerFired() {
    timers.schedule(.checkpoint, at: now.advanced(byMilliseconds: checkpointIntervalMs))
    tellRecoveryPoints()
  }

  var checkpointIntervalMs: Int64 { max(100, Int64(config.logFlushOffsetCheckpointIntervalMs)) }

  /// Tells the shard that keeps the files up to where the logs of this one are on the disk.
  func tellRecoveryPoints() {
    bytesFlushedSinceCheckpoint = 0
    var points: [(topicID: UUID, TopicPartition, Offset)] = []
    for hosted in hostedPartitions where hosted.partition.log.recoveryPoint != hosted.toldRecoveryPoint {
      hosted.toldRecoveryPoint = hosted.partition.log.recoveryPoint
      points.append((hosted.partition.topicID, hosted.partition.topicPartition, hosted.toldRecoveryPoint))
    }
    guard !points.isEmpty else { return }
    if index == Self.controllerShard {
      takeRecoveryPoints(points)
    } else {
      environment.links.send(.recoveryPoints(points), to: Self.controllerShard)
    }
  }

  func takeRecoveryPoints(_ points: [(topicID: UUID, TopicPartition, Offset)]) {
    for (topicID, partition, offset) in points where image.topic(id: topicID) != nil {
      recoveryPoints[partition] = offset
    }
    writeCheckpoint(.recoveryPoint)
  }

  // MARK: log starts

  /// A log's start has moved: the shard that keeps the files is told.
  func checkpointLogStart(_ hosted: HostedPartition) {
    let partition = hosted.partition
    scheduleDeletedFiles(afterMs: min(10_000, partition.config.fileDeleteDelayMs))
    if index == Self.controllerShard {
      checkpointLogStart(partition.topicID, partition.topicPartition, partition.log.logStartOffset)
    } else {
      environment.links.send(
        .logStart(topicID: partition.topicID, partition.topicPartition, partition.log.logStartOffset),
        to: Self.controllerShard)
    }
  }

  /// Notes a log's start, unless its topic is gone: another may have its name now.
  func checkpointLogStart(_ topicID: UUID, _ partition: TopicPartition, _ offset: Offset) {
    guard image.topic(id: topicID) != nil else { return }
    logStarts[partition] = offset
    writeCheckpoint(.logStartOffset)
  }

  /// Topics are gone: where their logs began, and what of them was on the disk, is nothing to those that will have their
  /// names.
  func forgetCheckpoints(of topics: [String]) {
    guard !topics.isEmpty else { return }
    let gone = Set(topics)
    let points = recoveryPoints.filter { !gone.contains($0.key.topic) }
    if points.count < recoveryPoints.count {
      recoveryPoints = points
      writeCheckpoint(.recoveryPoint)
    }
    let kept = logStarts.filter { !gone.contains($0.key.topic) && image.topic(named: $0.key.topic) != nil }
    guard kept.count < logStarts.count else { return }
    logStarts = kept
    writeCheckpoint(.logStartOffset)
  }

  // MARK: writing

  /// Writes a checkpoint file of every folder of log.dirs, now or when the writing that is under way has ended.
  private func writeCheckpoint(_ name: OffsetCheckpoint.Name) {
    staleCheckpoints.insert(name)
    writeStaleCheckpoint()
  }

  private func writeStaleCheckpoint() {
    guard !isWritingCheckpoint,
      let name = OffsetCheckpoint.Name.allCases.first(where: staleCheckpoints.contains)
    else { return }
    staleCheckpoints.remove(name)
    let offsets = name == .recoveryPoint ? recoveryPoints : logStarts
    var byFolder: [[TopicPartition: Offset]] = Array(repeating: [:], count: folders.count)
    for (partition, offset) in offsets { byFolder[folder(of: partition)][partition] = offset }
    var missing = folders.count
    isWritingCheckpoint = true
    for (folder, inside) in byFolder.enumerated() {
      let job = DiskJob.checkpoint(name, logDirectory: config.logDirs[folder], inside)
      onDisk(folder, job) { [unowned self] result in
        if case .failed(let error) = result {
          environment.logger.error("writing \(name.rawValue) of \(config.logDirs[folder]) failed: \(error)")
        }
        missing -= 1
        guard missing == 0 else { return }
        isWritingCheckpoint = false
        writeStaleCheckpoint()
      }
    }
  }
}
