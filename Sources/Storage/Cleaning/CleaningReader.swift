internal import Effects
internal import Primitives
internal import Records

/// One whole batch of a segment. The memory is good until the next one is read.
struct CleaningBatch {
  let header: RecordBatchHeader
  let bytes: UnsafeRawBufferPointer
  /// In the segment's file.
  let position: Int64

  /// Where the next batch begins.
  var end: Int64 { position + Int64(bytes.count) }
}

/// Reads the batches of a segment one after the other, through a file of its own, and checks each before it is used.
final class CleaningReader {
  private static let blockByteCount = 1 << 20

  private let source: CleaningSource
  private let number: Int
  private let file: any File
  private let pace: CleaningPace
  private let memory: ScratchBuffer
  private var block = UnsafeRawBufferPointer(start: nil, count: 0)
  private var blockStart: Int64 = 0
  private var position: Int64 = 0
  private var due: Offset

  /// `number` is that of `source` among the segments of the work. `memory` is for the reader alone while it lives.
  init(
    _ source: CleaningSource, number: Int, _ fileSystem: any FileSystem, _ pace: CleaningPace, _ memory: ScratchBuffer
  ) throws(CleaningStop) {
    self.source = source
    self.number = number
    self.pace = pace
    self.memory = memory
    due = source.baseOffset
    file = try cleaning { () throws(IOError) in try fileSystem.open(source.path, .read) }
  }

  /// The next batch; nil at the end of the segment.
  func next() throws(CleaningStop) -> CleaningBatch? {
    let left = source.byteCount - position
    guard left > 0 else { return nil }
    try fill(Int(min(left, Int64(RecordBatchHeader.byteCount))))
    guard let header = RecordBatchHeader(reading: buffered) else { throw damage("less than a batch header") }
    guard header.magic == 2 else { throw damage("magic \(header.magic)") }
    guard header.totalByteCount >= RecordBatchHeader.byteCount, Int64(header.totalByteCount) <= left else {
      throw damage("a batch of \(header.totalByteCount) bytes where \(left) are left")
    }
    guard header.lastOffsetDelta >= 0, header.baseOffset >= due, header.lastOffset < source.endOffset,
      header.lastOffset >= header.baseOffset
    else { throw damage("base offset \(header.baseOffset.value) where \(due.value) or more was due") }
    try fill(header.totalByteCount)
    let bytes = UnsafeRawBufferPointer(rebasing: buffered[..<header.totalByteCount])
    guard header.checksumMatches(bytes) else { throw damage("the checksum does not match") }
    let batch = CleaningBatch(header: header, bytes: bytes, position: position)
    position = batch.end
    due = header.nextOffset
    return batch
  }

  /// What is wrong with the records of `batch`, which was the last one read.
  func damage(_ error: RecordError, in batch: CleaningBatch) -> CleaningStop {
    .damaged(
      CleaningDamage(
        source: number, position: batch.position, dueOffset: batch.header.baseOffset, reason: error.description))
  }

  private func damage(_ reason: String) -> CleaningStop {
    .damaged(CleaningDamage(source: number, position: position, dueOffset: due, reason: reason))
  }

  private var buffered: UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: block[Int(position - blockStart)...])
  }

  /// Has at least `byteCount` bytes from `position` on in memory; reads a whole block where they are not there.
  private func fill(_ byteCount: Int) throws(CleaningStop) {
    let end = blockStart + Int64(block.count)
    if position >= blockStart, position + Int64(byteCount) <= end { return }
    let wanted = Int(min(source.byteCount - position, Int64(max(byteCount, Self.blockByteCount))))
    let bytes = memory.bytes(wanted)
    let position = position
    let count = try cleaning { () throws(IOError) in try file.read(into: bytes, at: position) }
    block = UnsafeRawBufferPointer(rebasing: bytes[..<count])
    blockStart = position
    guard count >= byteCount else { throw damage("the file is shorter than its log") }
    try pace.spend(count)
  }
}
