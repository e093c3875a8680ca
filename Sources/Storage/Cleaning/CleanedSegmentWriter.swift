internal import Effects
internal import Primitives
internal import Records

/// A segment that a cleaning wrote: what its log must know to take it in.
struct CleanedSegment: Sendable {
  let baseOffset: Offset
  /// The numbers of the segments, among those of the work, whose place it takes.
  let sources: Range<Int>
  let byteCount: Int64
  let maxTimestamp: Timestamp
  let offsetOfMaxTimestamp: Offset
  let offsetIndexCount: Int
  let lastOffsetEntry: OffsetIndexEntry?
  let timeIndexCount: Int
  let lastTimeEntry: TimeIndexEntry?
}

/// Writes one cleaned segment and its indexes, under names that no log reads.
final class CleanedSegmentWriter {
  private static let bufferByteCount = 1 << 20

  private let baseOffset: Offset
  private let indexIntervalBytes: Int
  private let paths: [String]
  private let fileSystem: any FileSystem
  private let pace: CleaningPace
  private let log: any File
  private let buffer = OutputBuffer(capacity: CleanedSegmentWriter.bufferByteCount)
  private var writtenByteCount: Int64 = 0
  private var byteCount: Int64 = 0
  private var bytesSinceEntry = 0
  private var offsets: [OffsetIndexEntry] = []
  private var times: [TimeIndexEntry] = []
  private var largest: TimeIndexEntry

  init(
    _ baseOffset: Offset, directory: String, indexIntervalBytes: Int, _ fileSystem: any FileSystem, _ pace: CleaningPace
  ) throws(CleaningStop) {
    self.baseOffset = baseOffset
    self.indexIntervalBytes = indexIntervalBytes
    self.fileSystem = fileSystem
    self.pace = pace
    let paths = LogFileName.segmentSuffixes.map {
      directory + "/" + LogFileName.name(baseOffset, $0) + LogFileName.cleaned
    }
    self.paths = paths
    largest = TimeIndexEntry(timestamp: .none, offset: baseOffset)
    log = try cleaning { () throws(IOError) in try Self.create(paths[0], fileSystem) }
  }

  private static func create(_ path: String, _ fileSystem: any FileSystem) throws(IOError) -> any File {
    let file = try fileSystem.open(path, .readWrite)
    try file.truncate(to: 0)
    return file
  }

  /// Puts a whole batch at the end; index entries as appends make them.
  func append(_ header: RecordBatchHeader, _ bytes: UnsafeRawBufferPointer) throws(CleaningStop) {
    guard byteCount + Int64(bytes.count) <= Int64(Int32.max) else {
      throw .gaveUp("the segment at \(baseOffset.value) would grow beyond what its index can point to")
    }
    if header.newestTimestamp > largest.timestamp {
      largest = TimeIndexEntry(timestamp: header.newestTimestamp, offset: header.lastOffset)
    }
    if bytesSinceEntry > indexIntervalBytes {
      offsets.append(OffsetIndexEntry(offset: header.lastOffset, position: Int32(truncatingIfNeeded: byteCount)))
      noteLargest()
      bytesSinceEntry = 0
    }
    bytesSinceEntry += bytes.count
    byteCount += Int64(bytes.count)
    if buffer.count + bytes.count > Self.bufferByteCount { try flush() }
    if bytes.count > Self.bufferByteCount { return try write(bytes) }
    buffer.append(bytes)
  }

  private func noteLargest() {
    if largest.timestamp > times.last?.timestamp ?? .none { times.append(largest) }
  }

  private func flush() throws(CleaningStop) {
    guard !buffer.isEmpty else { return }
    try write(buffer.bytes)
    buffer.removeAll()
  }

  private func write(_ bytes: UnsafeRawBufferPointer) throws(CleaningStop) {
    let position = writtenByteCount
    try cleaning { () throws(IOError) in try log.write(bytes, at: position) }
    writtenByteCount += Int64(bytes.count)
    try pace.spend(bytes.count)
  }

  /// Everything is on the disk when this returns, but for the names.
  func finish(sources: Range<Int>) throws(CleaningStop) -> CleanedSegment {
    try flush()
    noteLargest()
    try cleaning { () throws(IOError) in try log.sync() }
    try writeIndex(offsets, paths[1])
    try writeIndex(times, paths[2])
    return CleanedSegment(
      baseOffset: baseOffset, sources: sources, byteCount: byteCount, maxTimestamp: largest.timestamp,
      offsetOfMaxTimestamp: largest.offset, offsetIndexCount: offsets.count, lastOffsetEntry: offsets.last,
      timeIndexCount: times.count, lastTimeEntry: times.last)
  }

  private func writeIndex<Entry: IndexEntry>(_ entries: [Entry], _ path: String) throws(CleaningStop) {
    let bytes = OutputBuffer(capacity: max(1, entries.count * Entry.byteCount))
    for entry in entries {
      entry.store(into: bytes.base + bytes.end, baseOffset: baseOffset)
      bytes.end += Entry.byteCount
    }
    try cleaning { () throws(IOError) in
      let file = try Self.create(path, fileSystem)
      if !bytes.isEmpty { try file.write(bytes.bytes, at: 0) }
      try file.sync()
    }
    try pace.spend(bytes.count)
  }
}
