internal import Effects
internal import Primitives
internal import Records

extension Log {
  /// Finds the end of every segment, trusting files as far as `mode` does: what is distrusted is checked batch by batch.
  ///
  /// Only the tail of the log can have been torn by a stop, and only that is cut: the last segment, or the one before
  /// when nothing reached the last. Damage anywhere else is reported and stays where it is, with all that is behind it.
  func recover(_ mode: LogRecoveryMode, now: Timestamp) throws(IOError) {
    for segment in segments {
      segment.byteCount = try environment.handles.file(segment.log).size()
      segment.writtenByteCount = segment.byteCount
    }
    let last = segments.count - 1
    let tail = mode == .clean ? last : segments.lastIndex { $0.byteCount > 0 } ?? last
    var end = segments[0].baseOffset
    for number in segments.indices {
      end = try recover(number, mode, isTail: number == tail)
      guard number < last else { break }
      if number != tail {
        reportHole(behind: number, end: end)
      } else if end != segments[number + 1].baseOffset {
        try removeEmptySegments(from: number + 1)
        break
      }
    }
    guard let last = segments.last else { preconditionFailure("the log \(directory) has no segment") }
    active = last
    logEndOffset = end
    writtenEndOffset = end
    if mode == .clean { firstLostOffset = nil }
    try noteFirstTimestamp(of: last)
  }

  /// Checks one segment, or trusts it; returns the offset behind its last batch, or where its successor begins.
  private func recover(_ number: Int, _ mode: LogRecoveryMode, isTail: Bool) throws(IOError) -> Offset {
    let segment = segments[number]
    let nextBase = number + 1 < segments.count ? segments[number + 1].baseOffset : nil
    let isChecked = mode.checkedFrom.map { $0 < nextBase ?? Offset(.max) || nextBase == nil } ?? false
    guard isChecked else { return try trust(segment, isTail: isTail, nextBase: nextBase) }
    recovered.checkedBytes += segment.byteCount
    return try rebuild(segment, verifying: true, isTail: isTail, nextBase: nextBase)
  }

  /// Says so when the offsets between a segment and its successor are missing. Reads go on at the successor.
  private func reportHole(behind number: Int, end: Offset) {
    guard !config.isCompacted else { return }
    let next = segments[number + 1].baseOffset
    let reached = max(end, segments[number].damages.last?.endOffset ?? end)
    guard reached < next else { return }
    firstLostOffset = min(firstLostOffset ?? reached, reached)
    environment.log?(.missingOffsets(topicPartition, path: segments[number].log.path, from: reached, to: next))
  }

  /// The end of a segment that was closed in order, by its indexes; rebuilds these when they cannot be right.
  private func trust(_ segment: LogSegment, isTail: Bool, nextBase: Offset?) throws(IOError) -> Offset {
    guard try loadIndexes(of: segment) else {
      return try rebuild(segment, verifying: false, isTail: isTail, nextBase: nextBase)
    }
    if let last = segment.timeIndex.last {
      segment.maxTimestamp = last.timestamp
      segment.offsetOfMaxTimestamp = last.offset
    }
    if let nextBase { return try trust(segment, before: nextBase) }
    // The last segment's end is read from its last batches.
    guard let end = try readEnd(of: segment) else {
      return try rebuild(segment, verifying: false, isTail: isTail, nextBase: nextBase)
    }
    return end
  }

  /// The end of a segment that has a successor. No crash damages it, but people cut, swap, rename and copy files: where its
  /// last batches do not fit its name, its index and its successor, nothing of it is believed.
  private func trust(_ segment: LogSegment, before nextBase: Offset) throws(IOError) -> Offset {
    guard segment.byteCount > 0 else { return config.isCompacted ? nextBase : segment.baseOffset }
    guard let end = try readEnd(of: segment), end <= nextBase else {
      recovered.checkedBytes += segment.byteCount
      return try rebuild(segment, verifying: true, isTail: false, nextBase: nextBase)
    }
    // Compaction leaves out offsets, at the end of a segment too.
    return config.isCompacted ? nextBase : end
  }

  private func loadIndexes(of segment: LogSegment) throws(IOError) -> Bool {
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

  /// Segments without a byte that begin behind the end of the log: they go, so that appends go on at the end.
  private func removeEmptySegments(from number: Int) throws(IOError) {
    let removed = segments[number...]
    guard let first = removed.first else { return }
    for segment in removed { try removeFiles(of: segment) }
    recovered.removedSegments += removed.count
    environment.log?(.removedSegments(topicPartition, count: removed.count, firstBaseOffset: first.baseOffset))
    segments.removeSubrange(number...)
  }

  /// What a time-based roll of the active segment counts from.
  private func noteFirstTimestamp(of segment: LogSegment) throws(IOError) {
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
  /// Back to an empty segment, as far as memory goes.
  func forgetBatches() {
    byteCount = 0
    writtenByteCount = 0
    maxTimestamp = .none
    offsetOfMaxTimestamp = baseOffset
    firstTimestamp = nil
    damages = []
  }
}

extension LogError {
  /// The file operation that failed, for those who can say nothing else.
  func cause(_ path: String) -> IOError {
    if case .io(let cause) = self { return cause }
    return IOError(operation: "\(self)", path: path, errno: 0)
  }
}
