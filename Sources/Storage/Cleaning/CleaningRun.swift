internal import Effects
internal import Primitives
internal import Records

/// One run of a cleaning: first the newest offset of each key, then every segment anew.
final class CleaningRun {
  private let work: CleaningWork
  private let fileSystem: any FileSystem
  private let pace: CleaningPace
  private let map: OffsetMap
  private let memory = ScratchBuffer()
  private var mappedEnd: Offset
  private var segments: [CleanedSegment] = []
  private var statistics = CleaningStatistics()

  init(_ work: CleaningWork, _ fileSystem: any FileSystem, _ pace: CleaningPace) {
    self.work = work
    self.fileSystem = fileSystem
    self.pace = pace
    mappedEnd = work.firstDirtyOffset
    let end = work.sources.last?.endOffset ?? work.firstDirtyOffset
    // No more keys than offsets.
    let dirtyCount = max(0, end.value &- work.firstDirtyOffset.value)
    map = OffsetMap(work.limits, keyCountMax: Int(dirtyCount))
    statistics.mapByteCount = map.byteCount
  }

  func outcome(_ ending: CleaningOutcome.Ending) -> CleaningOutcome {
    statistics.keyCount = map.count
    return CleaningOutcome(ending: ending, mappedEnd: mappedEnd, segments: segments, statistics: statistics)
  }

  func run() throws(CleaningStop) {
    // The swap before this one may not be on the disk: a start that finds its files beside new ones would undo it.
    work.removeCleaned(fileSystem)
    try syncDirectory()
    try mapKeys()
    guard mappedEnd > work.firstDirtyOffset else {
      throw .gaveUp("there is no memory for a single key more")
    }
    let cleaner = BatchCleaner(map, upTo: mappedEnd, work.rules)
    for group in work.groups(upTo: mappedEnd) { try clean(group, cleaner) }
    if !segments.isEmpty { try syncDirectory() }
  }

  private func syncDirectory() throws(CleaningStop) {
    try cleaning { () throws(IOError) in try fileSystem.syncDirectory(work.directory) }
  }

  // MARK: the map

  /// Puts the keys of everything that is dirty into the map, as far as there is room.
  private func mapKeys() throws(CleaningStop) {
    let decompressor = Decompressor()
    for (number, source) in work.sources.enumerated() where source.endOffset > work.firstDirtyOffset {
      let reader = try CleaningReader(source, number: number, fileSystem, pace, memory)
      while let batch = try reader.next() {
        statistics.bytesRead += Int64(batch.bytes.count)
        guard batch.header.nextOffset > work.firstDirtyOffset else { continue }
        do throws(RecordError) {
          try map(batch, decompressor)
        } catch { throw reader.damage(error, in: batch) }
        if statistics.isMapFull { return }
        mappedEnd = batch.header.nextOffset
      }
      mappedEnd = source.endOffset
    }
  }

  /// The same for one batch. Where the map is full, `mappedEnd` is the offset that had no room.
  private func map(_ batch: CleaningBatch, _ decompressor: Decompressor) throws(RecordError) {
    let header = batch.header
    // Those of transactions may be aborted: nothing goes for their sake.
    if header.attributes.isControl || header.attributes.isTransactional || header.recordCount == 0 { return }
    try forEachRecord(
      in: batch.bytes, decompressor: decompressor, byteCountMax: BatchCleaner.decompressedByteCountMax
    ) { record, memory in
      let offset = header.offset(of: record)
      guard let key = record.key, offset >= work.firstDirtyOffset else { return true }
      if map.put(work.rules.hasher.hash(UnsafeRawBufferPointer(rebasing: memory[key])), offset) { return true }
      statistics.isMapFull = true
      mappedEnd = offset
      return false
    }
  }

  // MARK: segments

  /// Writes the segments of `group` as one. A single segment that stays as it is is not written.
  private func clean(_ group: Range<Int>, _ cleaner: BatchCleaner) throws(CleaningStop) {
    if group.count == 1, try isClean(group.lowerBound, cleaner) { return }
    let base = work.sources[group.lowerBound].baseOffset
    let writer = try CleanedSegmentWriter(
      base, directory: work.directory, indexIntervalBytes: work.indexIntervalBytes, fileSystem, pace)
    // Its end is the end of the group: whoever opens the log must not miss offsets there.
    let last = group.last { work.sources[$0].byteCount > 0 }
    for number in group {
      try forEachFate(number, cleaner, lastMustStay: number == last) { batch, fate throws(CleaningStop) in
        switch fate {
        case .dropped: break
        case .verbatim: try writer.append(batch.header, batch.bytes)
        case .rewritten(let header, let bytes): try writer.append(header, bytes)
        }
        return true
      }
    }
    let segment = try writer.finish(sources: group)
    statistics.bytesWritten += segment.byteCount
    segments.append(segment)
  }

  private func isClean(_ number: Int, _ cleaner: BatchCleaner) throws(CleaningStop) -> Bool {
    var isClean = true
    try forEachFate(number, cleaner, lastMustStay: true) { _, fate in
      if case .verbatim = fate { return true }
      isClean = false
      return false
    }
    return isClean
  }

  /// Shows what becomes of each batch of a segment to `body`, which says whether to go on.
  private func forEachFate(
    _ number: Int, _ cleaner: BatchCleaner, lastMustStay: Bool,
    _ body: (CleaningBatch, BatchCleaner.Fate) throws(CleaningStop) -> Bool
  ) throws(CleaningStop) {
    let source = work.sources[number]
    let reader = try CleaningReader(source, number: number, fileSystem, pace, memory)
    while let batch = try reader.next() {
      statistics.bytesRead += Int64(batch.bytes.count)
      let fate: BatchCleaner.Fate
      do throws(RecordError) {
        fate = try cleaner.clean(batch, mustStay: lastMustStay && batch.end == source.byteCount)
      } catch { throw reader.damage(error, in: batch) }
      guard try body(batch, fate) else { return }
    }
  }
}

extension CleaningWork {
  /// Neighbouring segments, as many as fit together into one with its indexes. Kafka's `groupSegmentsBySize`.
  func groups(upTo end: Offset) -> [Range<Int>] {
    var groups: [Range<Int>] = []
    var start = 0
    var byteCount: Int64 = 0
    var offsetEntries = 0
    var timeEntries = 0
    for (number, source) in sources.enumerated() where source.baseOffset < end {
      let fits =
        byteCount + source.byteCount <= Int64(segmentBytes)
        && (offsetEntries + source.offsetIndexCount) * OffsetIndexEntry.byteCount <= segmentIndexBytes
        && (timeEntries + source.timeIndexCount) * TimeIndexEntry.byteCount <= segmentIndexBytes
        && source.endOffset.value &- sources[start].baseOffset.value <= Int64(Int32.max)
      if number > start, !fits {
        groups.append(start..<number)
        start = number
        byteCount = 0
        offsetEntries = 0
        timeEntries = 0
      }
      byteCount += source.byteCount
      offsetEntries += source.offsetIndexCount
      timeEntries += source.timeIndexCount
      if number + 1 == sources.count || sources[number + 1].baseOffset >= end { groups.append(start..<(number + 1)) }
    }
    return groups
  }
}
