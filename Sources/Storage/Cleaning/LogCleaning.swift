package import Effects
package import Primitives

/// How much a log is in need of cleaning.
package struct CleaningCandidate: Hashable, Sendable {
  /// The share of the bytes that may be cleaned which no cleaning has seen: above 0, at most 1.
  package let dirtyRatio: Double
  package let dirtyBytes: Int64
  /// Whether something of it is older than `max.compaction.lag.ms`.
  package let isOverdue: Bool
  /// Whether the topic's configuration asks for a cleaning now: by `min.cleanable.dirty.ratio`, or for being overdue.
  package let isDue: Bool
}

/// A cleaning that is under way: what it was begun on.
struct BegunCleaning {
  let id: Int
  let segments: [LogSegment]
}

extension Log {
  /// What there is to clean below `limit`, which is the high watermark; nil for nothing: because the log is not compacted,
  /// all of it is clean or too young, a cleaning or the swap after one is under way, or something in it is damaged.
  package func cleaningCandidate(now: Timestamp, upTo limit: Offset) -> CleaningCandidate? {
    let count = cleanableCount(now: now, upTo: limit)
    guard count > 0 else { return nil }
    var dirtyBytes: Int64 = 0
    var bytes: Int64 = 0
    var oldest: Timestamp?
    for number in 0..<count {
      let segment = segments[number]
      bytes += segment.byteCount
      guard endOffset(of: number) > firstDirtyOffset else { continue }
      dirtyBytes += segment.byteCount
      oldest = oldest ?? segment.firstAppendTime ?? segment.retentionTimestamp
    }
    guard dirtyBytes > 0 else { return nil }
    let ratio = Double(dirtyBytes) / Double(bytes)
    let age = oldest.map { now.milliseconds.subtractingReportingOverflow($0.milliseconds) }
    let isOverdue = age.map { !$0.overflow && $0.partialValue > config.maxCompactionLagMs } ?? false
    return CleaningCandidate(
      dirtyRatio: ratio, dirtyBytes: dirtyBytes, isOverdue: isOverdue,
      isDue: isOverdue || ratio > config.minCleanableDirtyRatio)
  }

  /// Begins to clean what lies below `limit`, the high watermark; nil where there is nothing, as `cleaningCandidate` says.
  /// `now` is the broker's clock. `random` makes the secret of this cleaning's hashes.
  package func beginCleaning(
    now: Timestamp, upTo limit: Offset, limits: CleaningLimits, random: any RandomSource
  ) -> CleaningWork? {
    guard cleaningCandidate(now: now, upTo: limit) != nil else { return nil }
    let count = cleanableCount(now: now, upTo: limit)
    let end = endOffset(of: count - 1)
    cleaningCount += 1
    begunCleaning = BegunCleaning(
      id: cleaningCount, segments: Array(segments[..<count]))
    let rules = CleaningRules(
      hasher: KeyHasher(random.next(), random.next()), now: now, deleteRetentionMs: config.deleteRetentionMs,
      lastOffsets: producers.states.compactMapValues { state in state.last?.lastOffset }.filter { $0.value < end })
    return CleaningWork(
      topicPartition: topicPartition, id: cleaningCount, directory: directory,
      sources: (0..<count).map { source(of: $0) }, firstDirtyOffset: max(firstDirtyOffset, segments[0].baseOffset),
      rules: rules, limits: limits, segmentBytes: config.segmentBytes, segmentIndexBytes: config.segmentIndexBytes,
      indexIntervalBytes: config.indexIntervalBytes)
  }

  func source(of number: Int) -> CleaningSource {
    let segment = segments[number]
    return CleaningSource(
      baseOffset: segment.baseOffset, endOffset: endOffset(of: number), path: segment.log.path,
      byteCount: segment.writtenByteCount, offsetIndexCount: segment.offsetIndex.count,
      timeIndexCount: segment.timeIndex.count)
  }

  /// How many of the first segments may be cleaned: never the active one, none that reaches `limit` or an undecided
  /// transaction, none that is dirty and younger than `min.compaction.lag.ms`.
  private func cleanableCount(now: Timestamp, upTo limit: Offset) -> Int {
    guard config.isCompacted, !isFenced, begunCleaning == nil, swap == nil else { return 0 }
    let limit = min(limit, writtenEndOffset, producers.firstUnstableOffset ?? Offset(.max))
    var count = 0
    for number in segments.indices.dropLast() {
      let segment = segments[number]
      let end = endOffset(of: number)
      guard end <= limit, end <= firstDirtyOffset || isOldEnough(segment, now: now) else { break }
      // Damage is for people to mend: until then every byte of the log stays where it is.
      guard segment.damages.isEmpty else { return 0 }
      count += 1
    }
    return count
  }

  private func isOldEnough(_ segment: LogSegment, now: Timestamp) -> Bool {
    guard config.minCompactionLagMs > 0 else { return true }
    let age = now.milliseconds.subtractingReportingOverflow(segment.retentionTimestamp.milliseconds)
    return age.overflow || age.partialValue >= config.minCompactionLagMs
  }

  /// Takes the outcome of a cleaning: where it went well the new segments begin to take the place of the old ones.
  /// A failed rename fences the log.
  package func finishCleaning(
    _ work: CleaningWork, _ outcome: CleaningOutcome, now: Timestamp
  ) throws(LogError) -> CleaningResult {
    guard let begun = begunCleaning, begun.id == work.id else { return .discarded }
    begunCleaning = nil
    guard !isFenced, config.isCompacted, segments.starts(with: begun.segments, by: ===),
      begun.segments.last !== active
    else { return .discarded }
    switch outcome.ending {
    case .stopped: return .stopped
    case .failed(let error): return .failed(error)
    case .gaveUp(let reason): return .gaveUp(reason)
    case .damaged(let damage):
      try noteDamage(
        in: begun.segments[damage.source], at: damage.position, reason: damage.reason, walkingFrom: damage.position,
        damage.dueOffset)
      return .damaged
    case .cleaned:
      guard begun.segments.allSatisfy(\.damages.isEmpty) else { return .discarded }
      guard !outcome.segments.isEmpty else {
        firstDirtyOffset = outcome.mappedEnd
        isChanged = true
        return .unchanged
      }
      return .swapping(try beginSwap(work.id, outcome, begun.segments))
    }
  }
}
