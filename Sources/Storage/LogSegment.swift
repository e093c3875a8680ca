internal import Effects
internal import Primitives
internal import Records

/// One file of batches, with its two indexes: a log is a row of them, of which the last takes appends.
final class LogSegment {
  let baseOffset: Offset
  let log: FileSlot
  let offsetIndex: IndexFile<OffsetIndexEntry>
  let timeIndex: IndexFile<TimeIndexEntry>
  /// Bytes of batches, those that wait for their write included.
  var byteCount: Int64 = 0
  /// Bytes of batches in the file: what may be read.
  var writtenByteCount: Int64 = 0
  /// The largest timestamp of all batches, and the last offset of the batch that brought it.
  var maxTimestamp = Timestamp.none
  var offsetOfMaxTimestamp: Offset
  /// The largest timestamp of the first batch: what a time-based roll counts from, as in Kafka.
  var firstTimestamp: Timestamp?
  /// The broker's clock at the first and the last append (or at opening, where older appends left no note).
  var firstAppendTime: Timestamp?
  var lastAppendTime: Timestamp
  /// Taken off `segment.ms` for this segment.
  let jitterMs: Int64
  /// So much at its start may be in memory as it came from the disk, by whoever read it, with no checksum looked at since; it is
  /// checked each time it is read. Grows when bytes are seen to have left memory; a scrub that finds nothing ends it.
  var uncheckedByteCount: Int64 = 0
  /// What recovery, reading or scrubbing found damaged, in the order of the file.
  var damages: [DamagedRange] = []
  /// What the segment lacks behind its end: the file is shorter than it was. Reads go on at the next segment where no other
  /// replica has it.
  var missing: DamagedRange?
  /// Whether an index was seen to say what is not so, and whether the indexes were made anew for that.
  var hasWrongIndex = false
  var wasReindexed = false
  private var bytesSinceIndexEntry = 0
  private var preallocatedTo: Int64 = 0

  init(directory: String, baseOffset: Offset, jitterMs: Int64, now: Timestamp) {
    self.baseOffset = baseOffset
    let path = directory + "/"
    log = FileSlot(path: path + LogFileName.name(baseOffset, LogFileName.log))
    offsetIndex = IndexFile(path: path + LogFileName.name(baseOffset, LogFileName.offsetIndex), baseOffset: baseOffset)
    timeIndex = IndexFile(path: path + LogFileName.name(baseOffset, LogFileName.timeIndex), baseOffset: baseOffset)
    offsetOfMaxTimestamp = baseOffset
    lastAppendTime = now
    self.jitterMs = jitterMs
  }

  /// Whether a batch must go to a new segment: this one is full by bytes, age, index size or reach of relative offsets.
  /// Age is counted in the records' own time, as in Kafka, but never beyond `now`: made-up times roll no segments.
  func mustRoll(
    before batchByteCount: Int, lastOffset: Offset, timestamp: Timestamp, now: Timestamp, _ config: LogConfig
  ) -> Bool {
    guard byteCount > 0 else { return lastOffset.value &- baseOffset.value > Int64(Int32.max) }
    if byteCount + Int64(batchByteCount) > Int64(config.segmentBytes) { return true }
    if lastOffset.value &- baseOffset.value > Int64(Int32.max) { return true }
    if offsetIndex.count >= config.segmentIndexBytes / OffsetIndexEntry.byteCount { return true }
    if timeIndex.count >= config.segmentIndexBytes / TimeIndexEntry.byteCount - 1 { return true }
    guard let firstTimestamp else { return false }
    let (age, overflow) = min(timestamp, now).milliseconds.subtractingReportingOverflow(firstTimestamp.milliseconds)
    return !overflow && age > config.segmentMs - jitterMs
  }

  /// Takes note of a batch that was put at the end; index entries as Kafka writes them.
  func noteAppend(
    byteCount batchByteCount: Int, lastOffset: Offset, timestamp: Timestamp, now: Timestamp, indexIntervalBytes: Int,
    _ environment: LogEnvironment
  ) {
    if timestamp > maxTimestamp {
      maxTimestamp = timestamp
      offsetOfMaxTimestamp = lastOffset
    }
    if firstTimestamp == nil {
      firstTimestamp = timestamp
      firstAppendTime = now
    }
    lastAppendTime = now
    if bytesSinceIndexEntry > indexIntervalBytes {
      offsetIndex.append(
        OffsetIndexEntry(offset: lastOffset, position: Int32(truncatingIfNeeded: byteCount)), environment)
      noteMaxTimestamp(environment)
      bytesSinceIndexEntry = 0
    }
    bytesSinceIndexEntry += batchByteCount
    byteCount += Int64(batchByteCount)
  }

  /// The next batch gets an index entry, however few bytes there are before it.
  func indexNextBatch() { bytesSinceIndexEntry = Int.max / 2 }

  /// A time index entry for the largest timestamp so far, unless the last entry says it already.
  func noteMaxTimestamp(_ environment: LogEnvironment) {
    guard maxTimestamp > timeIndex.last?.timestamp ?? .none else { return }
    timeIndex.append(TimeIndexEntry(timestamp: maxTimestamp, offset: offsetOfMaxTimestamp), environment)
  }

  /// Reserves blocks ahead of a growing file: nothing for the first bytes, then as much as there is, 64 KiB to 16 MiB.
  func reserve(_ batchByteCount: Int, _ file: any File, _ config: LogConfig) {
    let end = writtenByteCount + Int64(batchByteCount)
    guard end > preallocatedTo else { return }
    guard config.preallocate || end > 16 << 10 else { return }
    let room = max(Int64(config.segmentBytes) - end, 0)
    let ahead = config.preallocate ? room : min(room, min(max(end, 64 << 10), 16 << 20))
    preallocatedTo = end + ahead
    // A courtesy to the file system: where it cannot, the write says so itself.
    try? file.preallocate(preallocatedTo - writtenByteCount, at: writtenByteCount)
  }

  /// Gives back blocks behind the end, and brings both indexes whole into their files. Where an index cannot be
  /// written it stays in memory, and `indexWriteFailure` says why.
  func seal(_ environment: LogEnvironment) {
    noteMaxTimestamp(environment)
    offsetIndex.seal(environment)
    timeIndex.seal(environment)
    if preallocatedTo > writtenByteCount {
      try? environment.handles.file(log).truncate(to: writtenByteCount)
      preallocatedTo = 0
    }
  }

  /// Why an index is not whole in its file; nil when both are, as far as anybody tried.
  var indexWriteFailure: IOError? { offsetIndex.writeFailure ?? timeIndex.writeFailure }

  /// Cuts the file behind `byteCount` bytes of batches.
  func truncateFile(to byteCount: Int64, _ environment: LogEnvironment) throws(IOError) {
    try environment.handles.file(log).truncate(to: byteCount)
    self.byteCount = byteCount
    writtenByteCount = byteCount
    preallocatedTo = 0
    bytesSinceIndexEntry = 0
  }

  /// When the newest record was written, as far as deletion by age goes: its own timestamp, but never later than the
  /// broker's clock at the last append, so that a timestamp from the future keeps nothing alive for ever.
  var retentionTimestamp: Timestamp { maxTimestamp == .none ? lastAppendTime : min(maxTimestamp, lastAppendTime) }

  /// The files of this segment, those of the producer snapshot not among them.
  var slots: [FileSlot] { [log, offsetIndex.slot, timeIndex.slot] }
}
