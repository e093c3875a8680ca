internal import Configuration
internal import Effects
internal import Primitives
internal import Replication
internal import Storage

/// Up to where logs are on the disk, told to the shard that keeps recovery-point-offset-checkpoint.
///
/// By the clock for all logs; and a second after a log's first flush, for a log that the file does not name is taken for one
/// that was never flushed: after a crash it ends at the first batch that is not whole.
struct RecoveryPointNotes {
  /// Logs of which the file does not know yet that something was flushed.
  var first: [HostedPartition] = []
  /// Whether this shard has said that all points of its logs have been told.
  var hasToldAll = false
  /// Shards that have said so, on the shard that keeps the file.
  var shardCount = 0
}

extension Shard {
  func checkpointTimerFired() {
    timers.schedule(.checkpoint, at: now.advanced(byMilliseconds: checkpointIntervalMs))
    tellRecoveryPoints()
  }

  var checkpointIntervalMs: Int64 { max(100, Int64(config.logFlushOffsetCheckpointIntervalMs)) }

  /// Tells the points of all logs that have come further.
  func tellRecoveryPoints() {
    bytesFlushedSinceCheckpoint = 0
    recoveryPointNotes.first.removeAll()
    var points: [CheckpointEntry] = []
    for hosted in hostedPartitions where hosted.partition.log.recoveryPoint != hosted.toldRecoveryPoint {
      hosted.toldRecoveryPoint = hosted.partition.log.recoveryPoint
      hosted.isFlushNoted = hosted.toldRecoveryPoint > .zero
      hosted.partition.log.writeCheckpointHints()
      points.append(CheckpointEntry(hosted, hosted.toldRecoveryPoint))
    }
    if !points.isEmpty { tell(.recoveryPoint, points) }
  }

  // MARK: the first of a log

  private static let firstNoteDelayMs: Int64 = 1000

  /// Has the first flush of a log noted soon, with that of other logs.
  func noteFirstRecoveryPoint(_ hosted: HostedPartition) {
    guard !hosted.isFlushNoted, hosted.partition.log.recoveryPoint > .zero else { return }
    hosted.isFlushNoted = true
    recoveryPointNotes.first.append(hosted)
    guard recoveryPointNotes.first.count == 1 else { return }
    timers.schedule(.firstRecoveryPoints, at: now.advanced(byMilliseconds: Self.firstNoteDelayMs))
  }

  /// Tells the first points. Nothing is written for a start to begin at them, as `tellRecoveryPoints` does: such a log is
  /// quickly read, and there may be ten thousand at once.
  func tellFirstRecoveryPoints() {
    let logs = recoveryPointNotes.first.filter { !$0.isGone && !$0.partition.log.isFenced }
    recoveryPointNotes.first.removeAll()
    guard !logs.isEmpty else { return }
    tell(.recoveryPoint, logs.map { CheckpointEntry($0, $0.partition.log.recoveryPoint) })
  }

  // MARK: all of them

  /// All logs that a start found are open, and safe: their points are told. A folder that had no file gets one when every
  /// shard has said so. Not while a partition is offline: what of it was flushed nobody knows.
  func haveToldRecoveryPoints() {
    guard !recoveryPointNotes.hasToldAll, !hasOfflinePartition else { return }
    recoveryPointNotes.hasToldAll = true
    tellFirstRecoveryPoints()
    if index == Self.controllerShard {
      takeAllRecoveryPoints()
    } else {
      environment.links.send(.recoveryPointsTold, to: Self.controllerShard)
    }
  }

  /// Another shard has told all points, or this one.
  func takeAllRecoveryPoints() {
    recoveryPointNotes.shardCount += 1
    guard recoveryPointNotes.shardCount == count, checkpoints.contains(where: { !$0.tellsAllRecoveryPoints })
    else { return }
    for folder in checkpoints.indices { checkpoints[folder].haveAllRecoveryPoints() }
    writeCheckpoint(.recoveryPoint)
  }
}
