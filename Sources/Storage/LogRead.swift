package import Effects
package import Primitives
package import Records

/// What a read found: whole bytes of the file, from the start of a batch on.
package struct LogSlice: Sendable {
  /// nil when there is nothing below the limit yet.
  package let range: FileRange?
  /// The base offset of the first batch in `range`: at most the offset asked for, unless records between are gone.
  /// The offset asked for when there is no range.
  package let baseOffset: Offset
  /// The offset behind the last batch, where the range ends with a whole one; nil when it was cut at `maxBytes`, which may
  /// be within a batch (as Kafka does; clients drop the part).
  package let nextOffset: Offset?

  package init(range: FileRange?, baseOffset: Offset, nextOffset: Offset?) {
    self.range = range
    self.baseOffset = baseOffset
    self.nextOffset = nextOffset
  }
}

extension Log {
  /// Batches from the one that holds `offset` (or the next behind it), of one segment, at most `maxBytes`; no batch that
  /// reaches `limit` or beyond (the high watermark, the last stable offset, or the end). With `minOneBatch` the first
  /// batch comes whole, however large. A batch that recovery found damaged ends the slice; at its offsets the read throws
  /// `.corrupt`.
  package func read(
    from offset: Offset, maxBytes: Int, upTo limit: Offset, minOneBatch: Bool
  ) throws(LogError) -> LogSlice {
    guard offset >= logStartOffset, offset <= logEndOffset else {
      throw .offsetOutOfRange(logStart: logStartOffset, logEnd: logEndOffset)
    }
    let limit = min(limit, writtenEndOffset)
    let nothing = LogSlice(range: nil, baseOffset: offset, nextOffset: nil)
    guard offset < limit, let found = try locate(offset), found.baseOffset < limit else { return nothing }
    if found.segment !== active { try readNothingAhead(of: found.segment) }
    let start = try pastEmptied(found, limit)
    let end = try end(of: start, limit: limit)
    let available = end.position - start.position
    guard available > 0 else { return nothing }
    var byteCount = min(available, Int64(max(maxBytes, 0)))
    if byteCount < available {
      let first = try firstBatchByteCount(start)
      if byteCount < first {
        guard minOneBatch, first <= available else { return nothing }
        byteCount = first
      }
    }
    let file = try onFile { () throws(IOError) in try environment.handles.file(start.segment.log) }
    return LogSlice(
      range: FileRange(file: file, position: start.position, byteCount: Int(byteCount)),
      baseOffset: start.baseOffset, nextOffset: byteCount == available ? end.nextOffset : nil)
  }

  /// Who catches up asks for the next part soon enough; megabytes that the kernel reads ahead would stand in the way of every
  /// flush, and once it has begun to, each part leads to the next.
  private func readNothingAhead(of segment: LogSegment) throws(LogError) {
    try onFile { () throws(IOError) in try environment.handles.file(segment.log) }.readNothingAhead()
  }

  /// Where a read that would begin at `start` finds a record first: behind the segments that hold nothing from there on
  /// but batches that compaction has emptied. A reader that is given nothing else goes on behind them, but may take the
  /// answer for a batch that had no room: librdkafka doubles what it asks for each time, and reports an error in the end.
  /// Where no record follows, `start`: a reader must get to the end.
  private func pastEmptied(_ start: BatchLocation, _ limit: Offset) throws(LogError) -> BatchLocation {
    var place = start
    while place.segment !== active, try isEmptied(place) {
      let end = endOffset(of: segmentNumber(of: place.segment.baseOffset))
      guard end < limit, let next = try? locate(end), next.baseOffset < limit else { return start }
      place = next
    }
    return place
  }

  /// Whether the rest of a segment is a few batches without a record.
  private func isEmptied(_ start: BatchLocation) throws(LogError) -> Bool {
    let segment = start.segment
    let rest = segment.writtenByteCount - start.position
    // A batch without a record is its header. What is longer is worth an answer of its own, and not worth the walk.
    guard rest > 0, rest <= 4096, rest % Int64(RecordBatchHeader.byteCount) == 0, segment.damages.isEmpty else {
      return false
    }
    var recordCount: Int64 = 0
    try segment.forEachHeader(from: start.position, to: segment.writtenByteCount, environment) { header, _ in
      recordCount += Int64(header.recordCount)
      return recordCount == 0
    }
    return recordCount == 0
  }

  /// The first written batch whose last offset is at least `offset`; nil at the end.
  func locate(_ offset: Offset) throws(LogError) -> BatchLocation? {
    guard offset < writtenEndOffset else { return nil }
    if let found = recent.batch(containing: offset), found.position < active.writtenByteCount {
      return BatchLocation(
        segment: active, position: found.position, baseOffset: found.baseOffset,
        byteCount: (found.end ?? active.byteCount) - found.position)
    }
    var number = segmentNumber(of: offset)
    while number < segments.count {
      let segment = segments[number]
      if offset <= segment.baseOffset {
        if let damage = segment.damages.first, damage.position == 0 { throw segment.damaged(damage) }
        if segment.writtenByteCount > 0 {
          return BatchLocation(segment: segment, position: 0, baseOffset: segment.baseOffset, byteCount: nil)
        }
      } else if let found = try find(offset, in: segment) {
        return found
      }
      number += 1
    }
    return nil
  }

  /// Where `segment` has the batch of `offset`.
  func find(_ offset: Offset, in segment: LogSegment) throws(LogError) -> BatchLocation? {
    let found = try segment.locate(offset, environment)
    mendIndexes(of: segment)
    return found
  }

  /// Makes the indexes of `segment` anew, once, where one turned out to be wrong: else every read from there would walk
  /// the segment from its start.
  func mendIndexes(of segment: LogSegment) {
    guard segment.hasWrongIndex, !segment.wasReindexed, segment !== active || pending == nil else { return }
    segment.wasReindexed = true
    do throws(LogError) {
      try segment.rebuildIndexes(indexIntervalBytes: config.indexIntervalBytes, environment)
      if segment !== active { sealedIndexes += [segment.offsetIndex.slot, segment.timeIndex.slot] }
      environment.log?(.rebuiltIndexes(topicPartition, path: segment.log.path))
    } catch {
      environment.log?(
        .ignoredDamagedFile(topicPartition, path: segment.offsetIndex.slot.path, reason: "no index: \(error)"))
    }
  }

  /// Where a read that begins at `start` has to end for the sake of `limit`, within the segment, and the offset there.
  private func end(
    of start: BatchLocation, limit: Offset
  ) throws(LogError) -> (position: Int64, nextOffset: Offset) {
    let segment = start.segment
    // A damaged batch is never handed out.
    if let damage = segment.damage(behind: start.position), limit >= damage.firstOffset {
      return (damage.position, damage.firstOffset)
    }
    let segmentEnd = segment === active ? writtenEndOffset : endOffset(of: segmentNumber(of: segment.baseOffset))
    if limit >= segmentEnd { return (segment.writtenByteCount, segmentEnd) }
    if segment === active, let found = recent.batch(containing: limit), found.position <= active.writtenByteCount {
      return (found.position, found.baseOffset)
    }
    guard let found = try find(limit, in: segment) else { return (segment.writtenByteCount, segmentEnd) }
    return (found.position, found.baseOffset)
  }

  func firstBatchByteCount(_ start: BatchLocation) throws(LogError) -> Int64 {
    if let known = start.byteCount { return known }
    var byteCount: Int64 = 0
    try start.segment.forEachHeader(
      from: start.position, to: start.segment.writtenByteCount, environment
    ) { header, _ throws(LogError) in
      byteCount = Int64(header.totalByteCount)
      return false
    }
    return byteCount
  }

  /// Shows every whole batch from the one that holds `offset` up to `limit` to `body`, checksums verified. The memory is
  /// good only during the call.
  ///
  /// - Parameter byteCountMax: it ends behind the batch that reaches this.
  /// - Returns: where to go on then; nil when `limit` is reached.
  @discardableResult
  package func scan(
    from offset: Offset, upTo limit: Offset, byteCountMax: Int = .max,
    _ body: (RecordBatchHeader, UnsafeRawBufferPointer) throws(LogError) -> Void
  ) throws(LogError) -> Offset? {
    let limit = min(limit, writtenEndOffset)
    guard offset < limit, let start = try locate(max(offset, logStartOffset)) else { return nil }
    var isDone = false
    var byteCount = 0
    var next: Offset?
    for number in segmentNumber(of: start.segment.baseOffset)..<segments.count where !isDone {
      let segment = segments[number]
      guard segment.baseOffset < limit else { return nil }
      let from = segment === start.segment ? start.position : 0
      try segment.forEachBatch(from: from, to: segment.writtenByteCount, environment) {
        header, batch, position throws(LogError) in
        guard header.lastOffset < limit else {
          isDone = true
          return false
        }
        guard header.checksumMatches(batch) else { throw segment.damaged(position, "the checksum does not match") }
        try body(header, batch)
        byteCount += batch.count
        guard byteCount >= byteCountMax else { return true }
        isDone = true
        next = header.nextOffset
        return false
      }
    }
    return next
  }

  #if DEBUG
    /// Where the second segment begins, or the log ends: see `Mutation.loaderStopsAtFirstSegment`.
    package var firstSegmentEndOffset: Offset { segments.count > 1 ? segments[1].baseOffset : writtenEndOffset }
  #endif
}
