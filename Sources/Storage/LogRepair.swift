internal import Effects
package import Primitives
internal import Records

/// Damage that another replica's batches make whole, in place.
extension Log {
  /// The first place that another replica may have right; nil where there is none, and while a swap changes the files.
  package var damagedPlace: DamagedPlace? {
    guard !isFenced, swap == nil else { return nil }
    for segment in segments {
      for damage in segment.damages + (segment.missing.map { [$0] } ?? []) where !damage.offsets.isEmpty {
        return place(of: damage, in: segment)
      }
    }
    return nil
  }

  private func place(of damage: DamagedRange, in segment: LogSegment) -> DamagedPlace {
    // Terms of which a log knows the beginnings only, and not those of records that it has lost.
    let before = leaderEpochs.epoch(at: damage.firstOffset.advanced(by: -1)) ?? .none
    let after = max(before, leaderEpochs.epoch(at: damage.endOffset) ?? leaderEpochs.latest)
    return DamagedPlace(
      offsets: damage.offsets, position: damage.position, byteCount: damage.end - damage.position,
      endsSegment: segment !== active && damage.end >= segment.writtenByteCount && !config.isCompacted,
      segmentBaseOffset: segment.baseOffset, terms: before...after, isCompacted: config.isCompacted,
      cutCount: cutCount, swapCount: swapCount)
  }

  /// Whether the records at `offset` are in no file, though records behind it are.
  package func isMissing(_ offset: Offset) -> Bool {
    guard offset >= segments[0].baseOffset, offset < logEndOffset else { return false }
    return segments[segmentNumber(of: offset)].missing?.offsets.contains(offset) ?? false
  }

  /// Whether the record at `offset` is known to be damaged or missing.
  package func isKnownDamage(at offset: Offset) -> Bool {
    guard offset >= segments[0].baseOffset, offset < logEndOffset else { return false }
    return isMissing(offset) || segments[segmentNumber(of: offset)].damage(at: offset) != nil
  }

  /// What writes a draft; nil where its place is not there any more. The log must not be cut before `finishRepair`.
  package func repairWork(_ draft: RepairDraft) throws(LogError) -> RepairWork? {
    let place = draft.place
    guard let segment = segment(of: place), let damage = damage(of: place, in: segment) else { return nil }
    let file = try onFile { () throws(IOError) in try environment.handles.file(segment.log) }
    let indexing = RepairWork.Indexing(
      intervalBytes: config.indexIntervalBytes, segmentByteCount: segment.writtenByteCount,
      damages: segment.damages.filter { $0 != damage })
    return RepairWork(
      place: place, bytes: draft.bytes, nextOffset: draft.nextOffset, isLast: draft.isComplete, file: file,
      directory: directory, indexing: segment === active ? nil : indexing)
  }

  /// Takes note of what `work` has written: it is served from now on. Returns the offsets that are right again; nil where the
  /// place has gone meanwhile.
  @discardableResult
  package func finishRepair(_ work: RepairWork, _ outcome: RepairOutcome) -> Range<Offset>? {
    let place = work.place
    guard let segment = segment(of: place), let damage = damage(of: place, in: segment) else { return nil }
    let end = place.position + Int64(work.byteCount)
    if place.endsSegment { segment.writtenByteCount = work.isLast ? end : max(segment.writtenByteCount, end) }
    if segment !== active { segment.byteCount = segment.writtenByteCount }
    var rest: DamagedRange?
    if !work.isLast {
      rest = DamagedRange(
        position: end, end: max(damage.end, end), firstOffset: work.nextOffset, endOffset: damage.endOffset,
        reason: damage.reason)
    }
    replace(damage, in: segment, by: rest)
    if let indexes = outcome.indexes, segment !== active {
      segment.adopt(indexes, environment)
      segment.hasWrongIndex = false
      segment.wasReindexed = false
      sealedIndexes += [segment.offsetIndex.slot, segment.timeIndex.slot]
    }
    isChanged = true
    return place.offsets.lowerBound..<(work.isLast ? place.offsets.upperBound : work.nextOffset)
  }

  private func replace(_ damage: DamagedRange, in segment: LogSegment, by rest: DamagedRange?) {
    if segment.missing == damage {
      segment.missing = rest
      return
    }
    guard let number = segment.damages.firstIndex(of: damage) else { return }
    if let rest { segment.damages[number] = rest } else { segment.damages.remove(at: number) }
  }

  private func segment(of place: DamagedPlace) -> LogSegment? {
    guard !isFenced, swap == nil, place.cutCount == cutCount, place.swapCount == swapCount else { return nil }
    let segment = segments[segmentNumber(of: place.segmentBaseOffset)]
    return segment.baseOffset == place.segmentBaseOffset ? segment : nil
  }

  /// The damage that a place is of, if it is still as it was.
  private func damage(of place: DamagedPlace, in segment: LogSegment) -> DamagedRange? {
    let known = segment.damages + (segment.missing.map { [$0] } ?? [])
    return known.first { self.place(of: $0, in: segment) == place }
  }
}
