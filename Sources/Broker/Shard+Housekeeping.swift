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
  }

  private static let producerExpiryIntervalMs: Int64 = 600_000

  func fired(_ timer: ShardTimer) {
    switch timer {
    case .fetch(let connection, let sequence): fetchTimerFired(connection, sequence)
    case .idle(let connection): idleTimerFired(connection)
    case .memory: memoryTimerFired()
    case .group(let partition): groupTimerFired(partition)
    case .retention: applyRetention()
    case .producerExpiry: expireProducers()
    case .deletedFiles: removeDeletedFiles()
    }
  }

  private func applyRetention() {
    timers.schedule(.retention, at: now.advanced(byMilliseconds: config.logRetentionCheckIntervalMs))
    var removed = 0
    for hosted in hostedPartitions where hosted.partition.config.cleanupPolicy.contains(.delete) {
      let partition = hosted.partition
      do throws(LogError) {
        removed += try partition.log.applyRetention(now: wallClock, highWatermark: partition.highWatermark)
      } catch { environment.logger.error("\(partition.topicPartition): retention failed: \(error)") }
    }
    if removed > 0 { scheduleDeletedFiles(afterMs: 1000) }
  }

  func scheduleDeletedFiles(afterMs: Int64) {
    guard !hasDeletedFilesTimer else { return }
    hasDeletedFilesTimer = true
    timers.schedule(.deletedFiles, at: now.advanced(byMilliseconds: afterMs))
  }

  private func removeDeletedFiles() {
    var waiting = false
    hasDeletedFilesTimer = false
    removeDeletedFolders()
    for hosted in hostedPartitions {
      _ = hosted.partition.log.removeDeleted(now: wallClock)
      waiting = waiting || hosted.partition.log.deletedSegmentCount > 0
    }
    if !deletedFolders.isEmpty {
      scheduleDeletedFiles(afterMs: 10)
    } else if waiting {
      scheduleDeletedFiles(afterMs: 10_000)
    }
  }

  /// Removes the folders of some deleted partitions; the rest comes with later turns, for removing a thousand takes long.
  private func removeDeletedFolders() {
    for folder in deletedFolders.prefix(16) {
      do throws(IOError) { try environment.fileSystem.removeDirectory(folder) } catch {
        environment.logger.error("removing \(folder) failed: \(error)")
      }
    }
    deletedFolders.removeFirst(min(16, deletedFolders.count))
  }

  private func expireProducers() {
    timers.schedule(.producerExpiry, at: now.advanced(byMilliseconds: Self.producerExpiryIntervalMs))
    for hosted in hostedPartitions {
      _ = hosted.partition.log.producers.expire(
        now: wallClock, expirationMs: Int64(config.producerIdExpirationMs))
    }
  }

  /// A log's start has moved: the shard that keeps the checkpoint files is told.
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
    write(.logStartOffset, logStarts)
  }

  /// Topics are gone: where their logs began, and what of them was on the disk, is nothing to those that will have their
  /// names.
  func forgetCheckpoints(of topics: [String]) {
    let points = recoveryPoints.filter { !topics.contains($0.key.topic) }
    if points.count < recoveryPoints.count {
      recoveryPoints = points
      write(.recoveryPoint, recoveryPoints)
    }
    let kept = logStarts.filter { !topics.contains($0.key.topic) && image.topic(named: $0.key.topic) != nil }
    guard kept.count < logStarts.count else { return }
    logStarts = kept
    write(.logStartOffset, logStarts)
  }

  /// Writes a checkpoint file of every folder of log.dirs.
  private func write(_ name: OffsetCheckpoint.Name, _ offsets: [TopicPartition: Offset]) {
    for directory in config.logDirs {
      let inside = offsets.filter { logDir(of: $0.key) == directory }
      do throws(IOError) {
        try OffsetCheckpoint(name, logDirectory: directory, fileSystem: environment.fileSystem).write(inside)
      } catch { environment.logger.error("writing \(name.rawValue) of \(directory) failed: \(error)") }
    }
  }
}
