internal import Effects
package import Primitives
internal import Records

extension Log {
  /// Removes every batch that reaches to `offset` or beyond, as a follower does to agree with its leader. The log then
  /// ends behind its last whole batch, at `offset` or before it; where all of the log lies behind `offset`, it starts
  /// anew there. The cut is on the disk when it returns: after a power cut nothing of what was cut may lie behind what is
  /// appended next.
  package func truncate(to offset: Offset, now: Timestamp) throws(LogError) {
    if isFenced { throw .fenced }
    try writePending()
    guard offset < logEndOffset else { return }
    if let swap, offset < swap.endOffset { try completeSwap(now: now) }
    noteCut(to: offset)
    let start = try offset < segments[0].baseOffset ? nil : cutLocation(of: offset)
    do throws(IOError) {
      if let start {
        try cut(at: start)
      } else {
        try replaceAllSegments(startingAt: offset, now: now)
      }
      try removeSnapshots { $0 > logEndOffset }
      checkpointSnapshots.removeAll { $0 > logEndOffset }
      try environment.fileSystem.syncDirectory(directory)
      leaderEpochs.truncateFromEnd(logEndOffset)
      leaderEpochsChanged = true
      try writeLeaderEpochs()
      try loadProducers(now: now)
    } catch { throw fence(.io(error)) }
    logStartOffset = min(logStartOffset, logEndOffset)
    recoveryPoint = min(recoveryPoint, logEndOffset)
    heldRecoveryPoint = min(heldRecoveryPoint, logEndOffset)
    firstDirtyOffset = min(firstDirtyOffset, logEndOffset)
  }

  /// Where to cut for `offset`: before its batch, or before the damage that took it.
  private func cutLocation(of offset: Offset) throws(LogError) -> BatchLocation? {
    let segment = segments[segmentNumber(of: offset)]
    guard let damage = segment.damage(at: offset) else { return try locate(offset) }
    return BatchLocation(
      segment: segment, position: damage.position, baseOffset: damage.firstOffset, byteCount: nil)
  }

  /// Cuts the log so that the batch at `location` and all behind it are gone.
  private func cut(at location: BatchLocation) throws(IOError) {
    let kept = segmentNumber(of: location.segment.baseOffset)
    if kept + 1 < segments.count { try removeSegments(from: kept + 1) }
    active = location.segment
    recent.removeAll()
    // Appends must not go on behind damaged bytes.
    let before = active.damages.last { $0.position < location.position }
    let end = before.map { $0.end >= location.position ? $0.position : location.position } ?? location.position
    try active.truncateFile(to: end, environment)
    try environment.handles.file(active.log).sync()
    active.damages.removeAll { $0.end > end }
    active.missing = nil
    let position = Int32(truncatingIfNeeded: end)
    try active.offsetIndex.keepFirst(environment) { $0.position < position }
    let endOffset = try endOfActive()
    try active.timeIndex.keepFirst(environment) { $0.offset < endOffset }
    try restoreMaxTimestamp()
    logEndOffset = endOffset
    writtenEndOffset = endOffset
  }

  /// The offset behind the last batch of the active segment.
  private func endOfActive() throws(IOError) -> Offset {
    var end = active.baseOffset
    do throws(LogError) {
      try active.forEachHeader(
        from: Int64(active.offsetIndex.last?.position ?? 0), to: active.writtenByteCount, environment
      ) { header, _ in
        end = header.nextOffset
        return true
      }
    } catch { throw error.cause(active.log.path) }
    return end
  }

  /// The largest timestamp of a segment that lost its end: the time index does not know of the last batches.
  func restoreMaxTimestamp() throws(IOError) {
    active.maxTimestamp = .none
    active.offsetOfMaxTimestamp = active.baseOffset
    if active.byteCount == 0 { active.firstTimestamp = nil }
    do throws(LogError) {
      try active.forEachIntactHeader(from: 0, environment) { header in
        if header.newestTimestamp > active.maxTimestamp {
          active.maxTimestamp = header.newestTimestamp
          active.offsetOfMaxTimestamp = header.lastOffset
        }
      }
    } catch { throw error.cause(active.log.path) }
  }
}
