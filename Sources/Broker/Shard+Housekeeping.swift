internal import Cluster
internal import Configuration
internal import Effects
internal import Observability
internal import Primitives
internal import Replication
internal import Storage

/// What happens by the clock: retention, expiry, and the timers of everything else.
extension Shard {
  func scheduleHousekeeping() {
    timers.schedule(.retention, at: now.advanced(byMilliseconds: config.logRetentionCheckIntervalMs))
    timers.schedule(.producerExpiry, at: now.advanced(byMilliseconds: Self.producerExpiryIntervalMs))
    timers.schedule(.checkpoint, at: now.advanced(byMilliseconds: checkpointIntervalMs))
    timers.schedule(.clean, at: now.advanced(byMilliseconds: max(100, config.logCleanerBackoffMs)))
    timers.schedule(.scrub, at: now.advanced(byMilliseconds: 1000))
    if index == Self.controllerShard { timers.schedule(.space, at: now) }
  }

  private static let producerExpiryIntervalMs: Int64 = 600_000

  func fired(_ timer: ShardTimer) {
    switch timer {
    case .fetch(let connection, let sequence): fetchTimerFired(connection, sequence)
    case .idle(let connection): idleTimerFired(connection)
    case .memory: memoryTimerFired()
    case .peer(let key): peerTimerFired(key)
    case .group(let partition): groupTimerFired(partition)
    case .retention: applyRetention()
    case .producerExpiry: expireProducers()
    case .deletedFiles: removeDeletedFiles()
    case .flush: flushTimerFired()
    case .checkpoint: checkpointTimerFired()
    case .firstRecoveryPoints: tellFirstRecoveryPoints()
    case .space: measureSpace()
    case .clean: cleanTimerFired()
    case .scrub: scrubTimerFired()
    case .repair: repairTimerFired()
    case .reopen: reopenTimerFired()
    case .lostReplicas: lostReplicasTimerFired()
    case .coordination: coordinationTimerFired()
    case .appendDeadlines: appendDeadlinesFired()
    case .start(let since): startTimerFired(since: since)
    case .heldCommands: heldCommandsFired()
    case .offsetWaits: offsetWaitsFired()
    case .leadership(let place): leadershipTimerFired(place)
    case .balance: balanceTimerFired()
    case .leave: leaveTimerFired()
    case .cut(let place): cutTimerFired(place)
    case .isr: isrTimerFired()
    case .isrRetry(let place): isrRetryTimerFired(place)
    case .fetchers: fetchersTimerFired()
    }
  }

  private func applyRetention() {
    timers.schedule(.retention, at: now.advanced(byMilliseconds: config.logRetentionCheckIntervalMs))
    var removed = 0
    // Those that are only compacted too: an active segment that is old enough is closed, so that it can be cleaned.
    for hosted in hostedPartitions where isWorking(hosted.folder) {
      let partition = hosted.partition
      do throws(LogError) {
        removed += try partition.log.applyRetention(now: wallClock, highWatermark: partition.highWatermark)
      } catch {
        environment.logger.error("\(partition.topicPartition): retention failed: \(error)")
        noteFailure(error, of: hosted)
      }
    }
    if removed > 0 { scheduleDeletedFiles(afterMs: 1000) }
  }

  func scheduleDeletedFiles(afterMs: Int64) {
    guard !hasDeletedFilesTimer else { return }
    hasDeletedFilesTimer = true
    timers.schedule(.deletedFiles, at: now.advanced(byMilliseconds: afterMs))
  }

  /// Gives what is to be removed to the disk's threads: removing a file of a gigabyte takes long.
  private func removeDeletedFiles() {
    hasDeletedFilesTimer = false
    var isWaiting = false
    var files: [[String]] = Array(repeating: [], count: folders.count)
    for hosted in hostedPartitions {
      files[hosted.folder] += hosted.partition.log.takeDeleted(now: wallClock)
      isWaiting = isWaiting || hosted.partition.log.deletedSegmentCount > 0
    }
    for (folder, directory) in config.logDirs.enumerated() {
      let gone = deletedFolders.filter { $0.hasPrefix(directory + "/") }
      guard !gone.isEmpty || !files[folder].isEmpty else { continue }
      onDisk(folder, .remove(files: files[folder], folders: gone)) { [environment] result in
        if case .failed(let error) = result {
          environment.logger.error("removing deleted files of \(directory) failed, a restart tries again: \(error)")
        }
      }
    }
    deletedFolders.removeAll()
    if isWaiting { scheduleDeletedFiles(afterMs: 10_000) }
  }

  private func expireProducers() {
    timers.schedule(.producerExpiry, at: now.advanced(byMilliseconds: Self.producerExpiryIntervalMs))
    for hosted in hostedPartitions {
      _ = hosted.partition.log.producers.expire(
        now: wallClock, expirationMs: Int64(config.producerIdExpirationMs))
    }
  }
}
