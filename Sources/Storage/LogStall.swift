internal import Effects
internal import Primitives
internal import Records

/// A full disk is not a broken one: what a write could not bring into the file is taken back, and the log takes no appends
/// until its owner says that there is room again.
///
/// The owner has waiting for their write those appends whose offsets are given anew after `resume`: it must have told all
/// of them that they failed before it calls that.
extension Log {
  /// Batches could not be written. Out of space, the log goes back to `writtenEndOffset` and is stalled; everything else,
  /// also when going back fails, fences it.
  func writeFailed(_ error: IOError) -> LogError {
    guard error.isOutOfSpace else { return fence(.io(error)) }
    do throws(IOError) {
      try rollBack()
    } catch { return fence(.io(error)) }
    stalled = error
    environment.log?(.stalled(topicPartition, error))
    return .io(error)
  }

  /// There may be room again.
  package func resume() { stalled = nil }

  /// Makes the log what it was before the appends that have not been written: the file, the indexes, the producers, the
  /// terms of leaders.
  private func rollBack() throws(IOError) {
    dropPending()
    try active.truncateFile(to: active.writtenByteCount, environment)
    // Else a power cut may bring back, behind what is appended next, what was said to have failed.
    try environment.handles.file(active.log).sync()
    logEndOffset = writtenEndOffset
    let position = active.writtenByteCount
    let end = logEndOffset
    try active.offsetIndex.keepFirst(environment) { Int64($0.position) < position }
    try active.timeIndex.keepFirst(environment) { $0.offset < end }
    try restoreMaxTimestamp()
    recent.removeAll()
    leaderEpochs.truncateFromEnd(logEndOffset)
    leaderEpochsChanged = true
    try loadProducers(now: active.lastAppendTime)
  }
}

extension IOError {
  /// Whether a write found no room: ENOSPC, EDQUOT.
  package var isOutOfSpace: Bool { errno == 28 || errno == 122 }

  /// Whether a file could not be opened because too many are (ENFILE, EMFILE). No write and no sync fails like this.
  package var isOutOfDescriptors: Bool { errno == 23 || errno == 24 }

  /// Whether there is nothing of that name (ENOENT).
  package var isMissing: Bool { errno == 2 }
}
