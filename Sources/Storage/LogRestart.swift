internal import Effects
package import Primitives

/// Beginning anew, and what a log that was cut must have noted before it counts anything as flushed.
extension Log {
  /// The log becomes empty, and goes on at `offset`: a follower's whose end lies before the start of its leader's. On the
  /// disk when it returns. A failure fences the log; what a stop half way leaves is the first part of what there was, or
  /// nothing.
  package func restart(at offset: Offset, now: Timestamp) throws(LogError) {
    if isFenced { throw .fenced }
    try writePending()
    if swap != nil { try completeSwap(now: now) }
    noteCut(to: .zero)
    do throws(IOError) {
      // First what is only told about the records: none of it may be there without them.
      try removeSnapshots { _ in true }
      checkpointSnapshots = []
      let terms = path(LogFileName.leaderEpochs)
      if environment.fileSystem.exists(terms) { try environment.fileSystem.removeFile(terms) }
      try environment.fileSystem.syncDirectory(directory)
      try replaceAllSegments(startingAt: offset, now: now)
      try environment.fileSystem.syncDirectory(directory)
    } catch { throw fence(.io(error)) }
    leaderEpochs = LeaderEpochs()
    leaderEpochsChanged = true
    leaderEpochsUnsynced = false
    producers.removeAll()
    firstLostOffset = nil
    firstDirtyOffset = offset
  }

  /// The term of the last record; -1 where there is none, or nobody knows.
  package var latestEpoch: LeaderEpoch { leaderEpochs.epoch(at: logEndOffset.advanced(by: -1)) ?? .none }

  /// Terms that began at the end of the log, without a record: those of a leader that is none any more.
  package func forgetEmptyLeaderEpochs() {
    let before = leaderEpochs
    leaderEpochs.truncateFromEnd(logEndOffset)
    if leaderEpochs != before { leaderEpochsChanged = true }
  }

  // MARK: cuts and checkpoints

  /// The log is cut, to end at `offset`. What the recovery-point-offset-checkpoint says beyond that would be believed, after
  /// a crash, of records that come in place of those: until the owner has written a lower one, no flush counts.
  func noteCut(to offset: Offset) {
    cutCount += 1
    isChanged = true
    heldRecoveryPoint = min(heldRecoveryPoint, offset)
    if offset < recoveryPoint || unnotedCut != nil { unnotedCut = cutCount }
  }

  /// The checkpoint with `recoveryPoint`, as it was when `unnotedCut` was `cut`, is on the disk. What was flushed since counts
  /// from here on.
  package func noteCutWritten(_ cut: Int) {
    guard unnotedCut == cut else { return }
    unnotedCut = nil
    recoveryPoint = max(recoveryPoint, heldRecoveryPoint)
  }

  /// Everything below `offset` is on the disk.
  func noteFlushed(to offset: Offset) {
    if unnotedCut == nil { recoveryPoint = max(recoveryPoint, offset) }
    heldRecoveryPoint = max(heldRecoveryPoint, offset)
  }
}
