internal import Effects
internal import Primitives
internal import Records

/// Looks at one segment: its batches, their records, and the indexes beside it.
struct SegmentInspection {
  /// The path without `.log`.
  let stem: String
  let baseOffset: Int64
  /// Where the next segment begins; nil for the last one.
  let nextBase: Int64?
  /// Whether offsets may be missing: compaction removes them.
  let mayHaveGaps: Bool
  let fileSystem: any FileSystem
  let decompressor: Decompressor

  private(set) var findings: [InspectionFinding] = []
  private(set) var batchCount: Int64 = 0
  private(set) var recordCount: Int64 = 0
  private(set) var byteCount: Int64 = 0
  /// The offset behind the last batch.
  private(set) var nextOffset: Int64
  /// Leader epochs as batches bring them, and the first offset of each.
  private(set) var epochs: [(epoch: Int32, startOffset: Int64)] = []
  private var maxTimestamp = Int64.min
  private var offsetEntries: ArraySlice<StoredOffsetEntry> = []
  private var unsettled: DamagedBytes?
  private var hasDamage = false
  private var suppressedCount = 0

  /// Findings of one file beyond this many are only counted.
  private static let findingsMax = 100

  private var log: String { stem + LogFileName.log }
  private var offsetIndex: String { stem + LogFileName.offsetIndex }
  private var timeIndex: String { stem + LogFileName.timeIndex }

  init(
    stem: String, baseOffset: Int64, nextBase: Int64?, due: Int64?, mayHaveGaps: Bool, fileSystem: any FileSystem,
    decompressor: Decompressor
  ) {
    self.stem = stem
    self.baseOffset = baseOffset
    self.nextBase = nextBase
    self.mayHaveGaps = mayHaveGaps
    self.fileSystem = fileSystem
    self.decompressor = decompressor
    nextOffset = baseOffset
    if let due { checkStart(due: due) }
  }

  /// Looks at everything. `progress` is told of bytes as they are passed, and says whether to go on.
  mutating func run(_ progress: (Int) -> Void) {
    loadOffsetIndex()
    do throws(IOError) {
      let window = try FileWindow(log, fileSystem: fileSystem)
      byteCount = window.byteCount
      var walk = SegmentWalk(window, base: baseOffset, limit: nextBase)
      while let element = try walk.next() {
        switch element {
        case .batch(let batch):
          check(batch)
          progress(batch.bytes.count)
        case .damage(let damage): unsettled = damage
        }
      }
    } catch { report(.damage, log, "cannot be read: \(error)") }
    settle(before: nextBase)
    checkEnd()
    if !offsetEntries.isEmpty, batchCount > 0, let entry = offsetEntries.first {
      warn(offsetIndex, "points to position \(entry.position), behind the last batch")
    }
    checkTimeIndex()
    if suppressedCount > 0 { report(.note, log, "\(suppressedCount) more of this segment are not shown") }
  }

  private mutating func report(
    _ severity: InspectionSeverity, _ path: String, offsets: ClosedRange<Int64>? = nil, position: Int64? = nil,
    _ what: String
  ) {
    guard findings.count < Self.findingsMax || severity == .note else {
      suppressedCount += 1
      return
    }
    findings.append(InspectionFinding(severity, path, offsets: offsets, position: position, what))
  }

  /// An index is made anew by whoever uses it and sees that it is wrong.
  private mutating func warn(_ path: String, _ what: String) {
    report(.warning, path, what + "; the broker makes it anew")
  }

  // MARK: offsets

  /// `due` is the offset behind the segment before this one.
  private mutating func checkStart(due: Int64) {
    if due > baseOffset {
      report(
        .damage, log, offsets: baseOffset...(due - 1), position: 0,
        "begins at offset \(baseOffset), but the segment before it reaches to \(due - 1)")
    } else if due < baseOffset, !mayHaveGaps {
      report(
        .warning, log, offsets: due...(baseOffset - 1),
        "missing: the segment before this one ends there, or a segment between them is gone")
    }
  }

  private mutating func check(_ batch: StoredBatch) {
    let first = firstOffset(of: batch)
    settle(before: first)
    batchCount += 1
    if first < nextOffset {
      let what =
        batchCount == 1
        ? "the file's name says that it begins at \(baseOffset)" : "offset \(nextOffset) or more must follow here"
      report(.damage, log, offsets: first...max(first, batch.lastOffset), position: batch.position, what)
    } else if batchCount == 1, first > baseOffset, nextOffset == baseOffset, !mayHaveGaps {
      report(
        .warning, log, offsets: baseOffset...(first - 1), position: batch.position,
        "missing: the file's name says that it begins there")
    }
    if let nextBase, batch.lastOffset >= nextBase {
      report(
        .damage, log, offsets: max(first, nextBase)...max(first, batch.lastOffset), position: batch.position,
        "the next segment begins at \(nextBase) already")
    } else if batch.lastOffset &- baseOffset > Int64(Int32.max) {
      report(
        .damage, log, offsets: first...max(first, batch.lastOffset), position: batch.position,
        "too far from the segment's first offset for its indexes")
    }
    nextOffset = max(nextOffset, batch.lastOffset &+ 1)
    maxTimestamp = max(maxTimestamp, batch.maxTimestamp)
    if case .current(let header) = batch.format, header.partitionLeaderEpoch.value > epochs.last?.epoch ?? -1 {
      epochs.append((header.partitionLeaderEpoch.value, first))
    }
    checkIndexEntries(at: batch, first)
  }

  /// Counts the records and says what is wrong with them; returns the batch's first offset.
  private mutating func firstOffset(of batch: StoredBatch) -> Int64 {
    var first: Int64?
    var count: Int64 = 0
    var largest = Int64.min
    var problem: RecordError?
    do throws(RecordError) {
      try batch.forEachRecord(decompressor) { record, _ in
        if first == nil { first = record.offset }
        largest = max(largest, record.timestamp.milliseconds)
        count += 1
      }
    } catch { problem = error }
    recordCount += count
    var start = first ?? batch.lastOffset
    if case .current(let header) = batch.format { start = header.baseOffset.value }
    if case .old(let message) = batch.format, message.magic == 1 { maxTimestamp = max(maxTimestamp, largest) }
    if let problem {
      report(
        .damage, log, offsets: start...max(start, batch.lastOffset), position: batch.position,
        "the checksum is right, but \(problem)")
    }
    return start
  }

  /// What the damage took is known once it is known what comes behind it.
  private mutating func settle(before next: Int64?) {
    guard let damage = unsettled else { return }
    unsettled = nil
    // Entries that lead there are not what is wrong.
    offsetEntries = offsetEntries.drop { $0.position >= damage.position && $0.position < damage.end }
    let last = next.map { $0 - 1 } ?? damage.claimedLastOffset ?? nextOffset - 1
    let isTail = damage.end >= byteCount && nextBase == nil
    var what = damage.reason
    what += isTail ? "; nothing sound follows" : "; \(damage.end - damage.position) bytes are not served"
    report(.damage, log, offsets: nextOffset...max(nextOffset, last), position: damage.position, what)
    nextOffset = max(nextOffset, next ?? last &+ 1)
    hasDamage = true
  }

  /// An empty segment before others, and what a shorter one leaves out, is told at the next segment's start.
  private mutating func checkEnd() {
    if byteCount == 0, nextBase != nil { report(.note, log, "is empty") }
  }

  // MARK: indexes

  private mutating func loadOffsetIndex() {
    guard fileSystem.exists(offsetIndex) else {
      return report(.note, offsetIndex, "is missing; the broker makes it anew")
    }
    do throws(IOError) {
      let (entries, oddByteCount) = try SegmentIndexes.offsetEntries(offsetIndex, baseOffset: baseOffset, fileSystem)
      offsetEntries = entries[...]
      if oddByteCount > 0 { warn(offsetIndex, "\(oddByteCount) bytes at its end are no entry") }
    } catch { return warn(offsetIndex, "cannot be read: \(error)") }
    for (last, entry) in zip(offsetEntries, offsetEntries.dropFirst())
    where entry.offset <= last.offset || entry.position <= last.position {
      warn(offsetIndex, "the entry of position \(entry.position) does not come after that of \(last.position)")
      offsetEntries = []
      break
    }
  }

  /// An entry of the offset index points to the beginning of the batch that holds its offset.
  private mutating func checkIndexEntries(at batch: StoredBatch, _ first: Int64) {
    while let entry = offsetEntries.first, entry.position <= batch.position {
      offsetEntries = offsetEntries.dropFirst()
      if entry.position < batch.position {
        warn(offsetIndex, "points to position \(entry.position), where no sound batch begins")
      } else if entry.offset < first || entry.offset > batch.lastOffset {
        warn(
          offsetIndex,
          "says offset \(entry.offset) is at position \(entry.position), where the batch of \(first) to "
            + "\(batch.lastOffset) is")
      }
    }
  }

  private mutating func checkTimeIndex() {
    guard fileSystem.exists(timeIndex) else {
      return report(.note, timeIndex, "is missing; the broker makes it anew")
    }
    do throws(IOError) {
      let (entries, oddByteCount) = try SegmentIndexes.timeEntries(timeIndex, baseOffset: baseOffset, fileSystem)
      if oddByteCount > 0 { warn(timeIndex, "\(oddByteCount) bytes at its end are no entry") }
      for (last, entry) in zip(entries, entries.dropFirst())
      where entry.timestamp < last.timestamp || entry.offset < last.offset {
        return warn(timeIndex, "time \(entry.timestamp) does not come after \(last.timestamp)")
      }
      let isOff = { [nextOffset, maxTimestamp] (entry: StoredTimeEntry) in
        entry.offset > nextOffset || entry.timestamp > maxTimestamp
      }
      // What is damaged may be what the index knows of.
      if batchCount > 0, !hasDamage, let entry = entries.first(where: isOff) {
        warn(timeIndex, "names offset \(entry.offset) at \(entry.timestamp), which the segment does not hold")
      }
    } catch { warn(timeIndex, "cannot be read: \(error)") }
  }
}
