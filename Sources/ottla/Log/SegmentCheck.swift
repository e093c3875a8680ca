import Primitives
import Records

/// Looks for damage in one segment: its batches, their records, and the indexes beside it.
struct SegmentCheck {
  private let segment: SegmentPath
  private let decompressor: Decompressor
  /// What is wrong, each a sentence with its place.
  private(set) var problems: [String] = []
  private(set) var batchCount = 0
  private(set) var recordCount = 0
  private(set) var byteCount = 0
  /// The offset behind the last batch.
  private(set) var nextOffset: Int64
  private var maxTimestamp = Int64.min
  private var offsetEntries: ArraySlice<IndexFiles.OffsetEntry> = []

  /// More problems than this in one segment are not told one by one.
  private static let problemsMax = 100
  /// A batch may decompress to this much.
  private static let recordsBytesMax = 1 << 30

  /// - Parameter startOffset: the offset behind the segment before this one.
  init(_ segment: SegmentPath, startOffset: Int64, _ decompressor: Decompressor) throws {
    self.segment = segment
    self.decompressor = decompressor
    nextOffset = max(startOffset, segment.baseOffset)
    if startOffset > segment.baseOffset {
      report(
        segment.log, "begins at offset \(segment.baseOffset), but the segment before it reaches to \(startOffset - 1)")
    }
    if LogFolders.exists(segment.offsetIndex) { offsetEntries = try IndexFiles.offsetEntries(segment.offsetIndex)[...] }
    checkOffsetIndexOrder()
    let file = try WindowedFile(segment.log)
    byteCount = file.byteCount
    let ending = try BatchWalk.walk(file) { batch in
      check(batch)
      return problems.count < Self.problemsMax
    }
    if case .damage(let position, let what) = ending { report(segment.log, "at byte \(position): \(what)") }
    if case .end = ending, let entry = offsetEntries.first {
      report(segment.offsetIndex, "points to byte \(entry.position), behind the last batch")
    }
    try checkTimeIndex()
  }

  private mutating func report(_ path: String, _ what: String) { problems.append("\(path): \(what)") }

  private mutating func check(_ batch: PlacedBatch) {
    let header = batch.header
    let place = "at byte \(batch.position), offset \(header.baseOffset.value)"
    batchCount += 1
    recordCount += Int(max(0, header.recordCount))
    if header.baseOffset.value < nextOffset {
      report(segment.log, "\(place): offset \(nextOffset) or more must follow here")
    }
    if header.lastOffsetDelta < 0 { report(segment.log, "\(place): it ends before it begins") }
    nextOffset = max(nextOffset, header.nextOffset.value)
    maxTimestamp = max(maxTimestamp, header.maxTimestamp.milliseconds)
    checkIndexEntries(at: batch)
    guard header.checksumMatches(batch.bytes) else {
      return report(segment.log, "\(place): the checksum is wrong")
    }
    if let problem = recordProblem(batch) { report(segment.log, "\(place): \(problem)") }
  }

  /// What is wrong with the records of a batch whose checksum is right; nil when nothing is.
  private func recordProblem(_ batch: PlacedBatch) -> String? {
    var lastDelta: Int32 = -1
    var problem: String?
    do throws(RecordError) {
      try forEachRecord(in: batch.bytes, decompressor: decompressor, byteCountMax: Self.recordsBytesMax) { record, _ in
        if record.offsetDelta <= lastDelta || record.offsetDelta > batch.header.lastOffsetDelta {
          problem = "record with offset delta \(record.offsetDelta) is out of order"
        }
        lastDelta = record.offsetDelta
        return problem == nil
      }
    } catch {
      return "\(error)"
    }
    return problem
  }

  private mutating func checkOffsetIndexOrder() {
    var last: IndexFiles.OffsetEntry?
    for entry in offsetEntries {
      if let last, entry.relativeOffset <= last.relativeOffset || entry.position <= last.position {
        report(segment.offsetIndex, "the entry of byte \(entry.position) does not come after that of \(last.position)")
      }
      last = entry
    }
  }

  /// An entry of the offset index points to the beginning of the batch that holds its offset.
  private mutating func checkIndexEntries(at batch: PlacedBatch) {
    while let entry = offsetEntries.first, Int(entry.position) <= batch.position {
      offsetEntries = offsetEntries.dropFirst()
      if Int(entry.position) < batch.position {
        report(segment.offsetIndex, "points to byte \(entry.position), where no batch begins")
        continue
      }
      let offset = segment.baseOffset &+ Int64(entry.relativeOffset)
      if offset < batch.header.baseOffset.value || offset > batch.header.lastOffset.value {
        report(
          segment.offsetIndex,
          "says offset \(offset) is at byte \(entry.position), where the batch of "
            + "\(batch.header.baseOffset.value) to \(batch.header.lastOffset.value) is")
      }
    }
  }

  private mutating func checkTimeIndex() throws {
    guard LogFolders.exists(segment.timeIndex) else { return }
    var last: IndexFiles.TimeEntry?
    for entry in try IndexFiles.timeEntries(segment.timeIndex) {
      if let last, entry.timestamp < last.timestamp || entry.relativeOffset < last.relativeOffset {
        report(segment.timeIndex, "time \(entry.timestamp) does not come after \(last.timestamp)")
      }
      let offset = segment.baseOffset &+ Int64(entry.relativeOffset)
      if batchCount > 0, offset >= nextOffset || entry.timestamp > maxTimestamp {
        report(segment.timeIndex, "names offset \(offset) at \(entry.timestamp), which the segment does not hold")
      }
      last = entry
    }
  }
}
