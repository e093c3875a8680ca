internal import Effects
internal import Primitives
internal import Records

/// Checking a segment of which the first part is known to have been flushed: only what comes behind the recovery point can
/// have been torn. A large active segment costs a start after a crash no more than its last seconds.
extension Log {
  /// Checks `segment` from a batch before `recoveryPoint` on. Returns the offset behind its last good batch and whether it
  /// was cut there; nil where the indexes do not lead to such a batch, or what is damaged was flushed: the whole segment is
  /// then to be walked.
  ///
  /// The entries before that batch are taken as they are: an index is a hint, and who uses a wrong entry finds out.
  func check(
    _ segment: LogSegment, from recoveryPoint: Offset, isTail: Bool, nextBase: Offset?
  ) throws(IOError) -> (end: Offset, isCut: Bool)? {
    let size = segment.byteCount
    guard recoveryPoint > segment.baseOffset, let start = try startOfCheck(segment, recoveryPoint) else { return nil }
    defer { segment.writtenByteCount = segment.byteCount }
    segment.byteCount = start.position
    recoveredEpoch = .none
    var end = start.header.baseOffset
    var isCut = false
    if let damage = try noteBatches(
      of: segment, from: start.position, to: size, limit: isTail ? nil : nextBase, true, end: &end)
    {
      guard end >= recoveryPoint else {
        segment.byteCount = size
        return nil
      }
      try cut(segment, at: damage.position, size: size, damage.reason, wasTorn: true)
      isCut = true
    }
    segment.seal(environment)
    recovered.checkedBytes += size - start.position
    return (end, isCut)
  }

  /// The last indexed batch before the recovery point up to which both indexes are whole; the entries behind it are dropped.
  private func startOfCheck(
    _ segment: LogSegment, _ recoveryPoint: Offset
  ) throws(IOError) -> (position: Int64, header: RecordBatchHeader)? {
    guard try loadIndexes(of: segment) else { return nil }
    try segment.timeIndex.keepFirst(environment) { $0.offset < recoveryPoint }
    // Entries of the two reach their files at different times: behind the last one of the time index there may have been
    // larger timestamps, so the walk begins there.
    guard let time = segment.timeIndex.last else { return nil }
    try segment.offsetIndex.keepFirst(environment) { $0.offset <= time.offset }
    guard let entry = segment.offsetIndex.last, Int64(entry.position) < segment.byteCount,
      let header = try wholeBatch(of: segment, at: Int64(entry.position)), header.lastOffset == entry.offset
    else { return nil }
    try segment.timeIndex.keepFirst(environment) { $0.offset <= entry.offset }
    guard let newest = segment.timeIndex.last, try segment.holds(newest, environment) else { return nil }
    segment.maxTimestamp = newest.timestamp
    segment.offsetOfMaxTimestamp = newest.offset
    segment.firstTimestamp = nil
    try noteFirstTimestamp(of: segment)
    return (Int64(entry.position), header)
  }

  /// The header of the batch at `position`, if it is whole and its checksum right.
  private func wholeBatch(of segment: LogSegment, at position: Int64) throws(IOError) -> RecordBatchHeader? {
    var found: RecordBatchHeader?
    do throws(LogError) {
      try segment.forEachBatch(from: position, to: segment.byteCount, environment) { header, batch, _ in
        if header.checksumMatches(batch) { found = header }
        return false
      }
    } catch {
      if case .io(let cause) = error { throw cause }
    }
    return found
  }

  /// Writes what a start after a crash needs to begin at the recovery point, before that is noted: what the indexes hold in
  /// memory, and the producers as they are at the end of the log. Best effort, and nothing is synced: it is all hints.
  package func writeCheckpointHints() {
    guard !isFenced, !hasPending else { return }
    active.offsetIndex.writeTail(environment)
    active.timeIndex.writeTail(environment)
    guard checkpointSnapshots.last != logEndOffset, logEndOffset > active.baseOffset else { return }
    do throws(IOError) { try writeProducerSnapshot() } catch { return }
    checkpointSnapshots.append(logEndOffset)
    // The one before the last is at the recovery point or before it when the last one is not there yet.
    guard checkpointSnapshots.count > 2 else { return }
    let offset = checkpointSnapshots.removeFirst()
    guard !segments.contains(where: { $0.baseOffset == offset }) else { return }
    try? environment.fileSystem.removeFile(path(LogFileName.name(offset, LogFileName.producerSnapshot)))
  }
}
