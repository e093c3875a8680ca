package import Effects
internal import Primitives
internal import Records

/// Batches that are to be sent and are not in memory, or came there nobody knows how: reading them, away from the shard,
/// brings them there, and says whether they are what was once written.
package struct ColdRead: Sendable {
  /// What is to be sent: whole batches but for the end, which may be within one.
  package let range: FileRange
  /// Of the first batch in `range`, and of the segment it is in; and the log's counts of cuts and swaps: by these the log
  /// knows what damage is meant.
  let baseOffset: Offset
  let segmentBaseOffset: Offset
  let cutCount: Int
  let swapCount: Int
  /// Where the batches of the segment end.
  let segmentByteCount: Int64

  /// A batch that is not what was written.
  package struct Damage: Hashable, Sendable {
    /// In the segment's file.
    package let position: Int64
    package let reason: String
  }

  /// The longest range that is read at once, but for one larger batch.
  package static let byteCountMax = 256 << 10

  /// Reads the range and checks every whole batch of it; says what it found first.
  package func run() throws(IOError) -> Damage? {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: range.byteCount, alignment: 16)
    defer { memory.deallocate() }
    let count = try range.file.read(into: memory, at: range.position)
    guard count == range.byteCount else {
      return Damage(
        position: range.position + Int64(count), reason: "the file ends \(range.byteCount - count) bytes early")
    }
    var position = 0
    while range.byteCount - position >= RecordBatchHeader.byteCount {
      let rest = UnsafeRawBufferPointer(rebasing: memory[position...])
      guard let header = RecordBatchHeader(reading: rest), header.magic == 2,
        header.totalByteCount >= RecordBatchHeader.byteCount
      else { return damage(position, "no batch begins there") }
      guard header.totalByteCount <= rest.count else {
        let end = range.position + Int64(position) + Int64(header.totalByteCount)
        // Not the part of a batch that a range ends with: there is no such batch in the segment.
        return end > segmentByteCount ? damage(position, "a batch that reaches beyond the end of its segment") : nil
      }
      guard header.checksumMatches(UnsafeRawBufferPointer(rebasing: rest[..<header.totalByteCount])) else {
        return damage(position, "the checksum does not match")
      }
      position += header.totalByteCount
    }
    return nil
  }

  private func damage(_ position: Int, _ reason: String) -> Damage {
    Damage(position: range.position + Int64(position), reason: reason)
  }
}

extension Log {
  /// The work that brings `slice` into memory and checks it; nil where it is there and is what this process wrote or has
  /// checked. It is of at most `bytesMax` of
  /// the slice, but at least of its first batch.
  package func coldRead(of slice: LogSlice, bytesMax: Int) throws(LogError) -> ColdRead? {
    guard let range = slice.range else { return nil }
    let segment = segments[segmentNumber(of: slice.baseOffset)]
    if range.position >= segment.uncheckedByteCount {
      // What was written a moment ago is in memory: no need to ask.
      if segment === active, range.position + Self.warmTailByteCount > active.writtenByteCount { return nil }
      guard !range.file.isCached(range.byteCount, at: range.position) else { return nil }
      noteEvicted(range, from: segment)
    }
    range.file.readNothingAhead()
    var byteCount = min(range.byteCount, bytesMax, ColdRead.byteCountMax)
    if byteCount < range.byteCount {
      let first = try firstBatchByteCount(
        BatchLocation(segment: segment, position: range.position, baseOffset: slice.baseOffset, byteCount: nil))
      byteCount = min(range.byteCount, max(byteCount, Int(first)))
    }
    return ColdRead(
      range: FileRange(file: range.file, position: range.position, byteCount: byteCount),
      baseOffset: slice.baseOffset, segmentBaseOffset: segment.baseOffset, cutCount: cutCount,
      swapCount: swapCount, segmentByteCount: segment.writtenByteCount)
  }

  /// Bytes of a segment have left memory: what there is of it from now on may have come back from the disk, and not only by
  /// reads that check it. Of the active segment only what lies before the place is that old.
  private func noteEvicted(_ range: FileRange, from segment: LogSegment) {
    guard segment === active else {
      segment.uncheckedByteCount = segment.writtenByteCount
      return
    }
    let end = range.position + Int64(range.byteCount)
    let pageEnd = (end / Self.pageByteCount + 1) * Self.pageByteCount
    segment.uncheckedByteCount = max(segment.uncheckedByteCount, min(pageEnd, segment.writtenByteCount))
  }

  private static let pageByteCount: Int64 = 4096

  /// The end of the active segment that is taken to be in memory without asking.
  private static var warmTailByteCount: Int64 { 4 << 20 }
}
