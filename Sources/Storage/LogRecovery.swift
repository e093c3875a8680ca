internal import Effects
internal import Primitives
internal import Records

extension Log {
  /// Finds the end of every segment, trusting files as far as `mode` does: what is distrusted is checked batch by batch.
  ///
  /// Only what was not flushed can have been torn by a stop, and only that is cut: the last segment (or the one before
  /// when nothing reached the last), and whatever lies at the recovery point or behind it, where one is known. Damage
  /// anywhere else is reported and stays where it is, with all that is behind it.
  func recover(_ mode: LogRecoveryMode, now: Timestamp) throws(IOError) {
    for segment in segments {
      segment.byteCount = try environment.handles.file(segment.log).size()
      segment.writtenByteCount = segment.byteCount
    }
    let last = segments.count - 1
    let tail = mode == .clean ? last : segments.lastIndex { $0.byteCount > 0 } ?? last
    var end = segments[0].baseOffset
    for number in segments.indices {
      let isCut: Bool
      (end, isCut) = try recover(number, mode, isTail: number == tail)
      guard number < last else { break }
      let isFollowed = !isCut && end == segments[number + 1].baseOffset
      if !isFollowed, number >= tail || mode.tornFrom.map({ $0 <= end }) ?? false {
        try setAsideSegments(behind: number)
        break
      }
      if number < tail { reportHole(behind: number, end: end) }
    }
    guard let last = segments.last else { preconditionFailure("the log \(directory) has no segment") }
    active = last
    logEndOffset = end
    writtenEndOffset = end
    if mode == .clean { firstLostOffset = nil }
    sealedIndexes.removeAll { slot in active.slots.contains { $0 === slot } }
    try noteFirstTimestamp(of: last)
  }

  /// Checks one segment, or trusts it; returns the offset behind its last batch, or where its successor begins, and whether
  /// it was cut there.
  private func recover(
    _ number: Int, _ mode: LogRecoveryMode, isTail: Bool
  ) throws(IOError) -> (end: Offset, isCut: Bool) {
    let segment = segments[number]
    let nextBase = number + 1 < segments.count ? segments[number + 1].baseOffset : nil
    // A segment that ends at the recovery point may have been closed after the flush, and its indexes never synced.
    let isChecked = mode.checkedFrom.map { $0 <= nextBase ?? Offset(.max) } ?? false
    guard isChecked else { return (try trust(segment, mode, isTail: isTail, nextBase: nextBase), false) }
    // A sync that failed leaves in memory what is not on the disk: it is the disk that is checked.
    try environment.handles.file(segment.log).dropCache()
    sealedIndexes += [segment.offsetIndex.slot, segment.timeIndex.slot]
    let found = try check(segment, mode, isTail: isTail, nextBase: nextBase)
    // What a killed process cut off must not come back behind new appends: it stays as it is seen now.
    if !mode.isSynced { try environment.handles.file(segment.log).sync() }
    return found
  }

  private func check(
    _ segment: LogSegment, _ mode: LogRecoveryMode, isTail: Bool, nextBase: Offset?
  ) throws(IOError) -> (end: Offset, isCut: Bool) {
    if let point = mode.tornFrom, let found = try check(segment, from: point, isTail: isTail, nextBase: nextBase) {
      return found
    }
    recovered.checkedBytes += segment.byteCount
    return try rebuild(segment, verifying: true, isTail: isTail, tornFrom: mode.tornFrom, nextBase: nextBase)
  }

  /// Says so when the offsets between a segment and its successor are missing. Reads go on at the successor.
  private func reportHole(behind number: Int, end: Offset) {
    guard !config.isCompacted else { return }
    let next = segments[number + 1].baseOffset
    let reached = max(end, segments[number].damages.last?.endOffset ?? end)
    guard reached < next else { return }
    firstLostOffset = min(firstLostOffset ?? reached, reached)
    let size = segments[number].byteCount
    segments[number].missing = DamagedRange(
      position: size, end: size, firstOffset: reached, endOffset: next, reason: "the file is shorter than it was")
    environment.log?(.missingOffsets(topicPartition, path: segments[number].log.path, from: reached, to: next))
  }

  /// The end of a segment that was closed in order, by its indexes; rebuilds these when they cannot be right.
  private func trust(
    _ segment: LogSegment, _ mode: LogRecoveryMode, isTail: Bool, nextBase: Offset?
  ) throws(IOError) -> Offset {
    var isBelieved = try loadIndexes(of: segment)
    if isBelieved, mode != .clean { isBelieved = try segment.holds(segment.timeIndex.last, environment) }
    guard isBelieved else {
      return try rebuild(segment, verifying: false, isTail: isTail, nextBase: nextBase).end
    }
    if let last = segment.timeIndex.last {
      segment.maxTimestamp = last.timestamp
      segment.offsetOfMaxTimestamp = last.offset
    }
    if let nextBase { return try trust(segment, before: nextBase) }
    // The last segment's end is read from its last batches.
    guard let end = try readEnd(of: segment) else {
      return try rebuild(segment, verifying: false, isTail: isTail, nextBase: nextBase).end
    }
    return end
  }

  /// The end of a segment that has a successor. No crash damages it, but people cut, swap, rename and copy files: where its
  /// last batches do not fit its name, its index and its successor, nothing of it is believed.
  private func trust(_ segment: LogSegment, before nextBase: Offset) throws(IOError) -> Offset {
    guard segment.byteCount > 0 else { return config.isCompacted ? nextBase : segment.baseOffset }
    guard let end = try readEnd(of: segment), end <= nextBase else {
      recovered.checkedBytes += segment.byteCount
      return try rebuild(segment, verifying: true, isTail: false, nextBase: nextBase).end
    }
    // Compaction leaves out offsets, at the end of a segment too.
    return config.isCompacted ? nextBase : end
  }

  func loadIndexes(of segment: LogSegment) throws(IOError) -> Bool {
    guard try segment.offsetIndex.load(environment), try segment.timeIndex.load(environment) else { return false }
    // A single batch that a cleaning emptied has no time to be found by.
    if segment.byteCount > RecordBatchHeader.byteCount, segment.timeIndex.last == nil { return false }
    if let last = segment.offsetIndex.last {
      guard last.offset >= segment.baseOffset, last.position > 0, Int64(last.position) < segment.byteCount else {
        return false
      }
    }
    if let last = segment.timeIndex.last, last.offset < segment.baseOffset { return false }
    return true
  }

  /// Reads headers from the last index entry on; nil when they do not fit entry, size and each other.
  private func readEnd(of segment: LogSegment) throws(IOError) -> Offset? {
    recoveredEpoch = .none
    let entry = segment.offsetIndex.last
    var end = segment.baseOffset
    var isFirst = true
    var isSound = true
    do throws(LogError) {
      try segment.forEachHeader(
        from: Int64(entry?.position ?? 0), to: segment.byteCount, environment
      ) { header, _ in
        if isFirst, let entry, header.lastOffset != entry.offset { isSound = false }
        isFirst = false
        end = header.nextOffset
        recoveredEpoch = header.partitionLeaderEpoch
        return isSound
      }
    } catch {
      if case .io(let cause) = error { throw cause }
      return nil
    }
    return isSound ? end : nil
  }

  /// The log ends in a segment, torn or empty, that is not the last: those behind it leave the log, so that appends go on at
  /// the end. They are empty, or of what was never flushed: those batches are kept under other names.
  private func setAsideSegments(behind number: Int) throws(IOError) {
    let count = segments.count - number - 1
    let first = segments[number + 1].baseOffset
    for segment in segments[(number + 1)...].reversed() where segment.byteCount > 0 { try setAside(segment) }
    try removeSegments(from: number + 1)
    recovered.removedSegments += count
    environment.log?(.removedSegments(topicPartition, count: count, firstBaseOffset: first))
  }

  /// What a time-based roll of the active segment counts from.
  func noteFirstTimestamp(of segment: LogSegment) throws(IOError) {
    guard segment.firstTimestamp == nil, segment.byteCount > 0 else { return }
    do throws(LogError) {
      try segment.forEachHeader(from: 0, to: segment.byteCount, environment) { header, _ in
        segment.firstTimestamp = header.maxTimestamp
        return false
      }
    } catch {
      if case .io(let cause) = error { throw cause }
    }
  }
}

extension LogSegment {
  /// Whether the log has the batch that an entry of the time index is of. After a stop without order an index may have the
  /// size that it had, and nothing in it: the segment would count as old, and go.
  func holds(_ entry: TimeIndexEntry?, _ environment: LogEnvironment) throws(IOError) -> Bool {
    guard let entry else { return true }
    var isHeld = false
    do throws(LogError) {
      guard let location = try locate(entry.offset, environment) else { return false }
      try forEachHeader(from: location.position, to: writtenByteCount, environment) { header, _ in
        isHeld = header.lastOffset == entry.offset && header.maxTimestamp == entry.timestamp
        return false
      }
    } catch {
      if case .io(let cause) = error { throw cause }
    }
    return isHeld
  }

  /// Back to an empty segment, as far as memory goes.
  func forgetBatches() {
    byteCount = 0
    writtenByteCount = 0
    maxTimestamp = .none
    offsetOfMaxTimestamp = baseOffset
    firstTimestamp = nil
    damages = []
    missing = nil
  }
}

extension LogError {
  /// The file operation that failed, for those who can say nothing else.
  func cause(_ path: String) -> IOError {
    if case .io(let cause) = self { return cause }
    return IOError(operation: "\(self)", path: path, errno: 0)
  }
}
