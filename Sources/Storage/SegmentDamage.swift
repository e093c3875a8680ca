internal import Effects
internal import Primitives
internal import Records

/// A place in a segment that recovery found to hold no whole, valid batch, and what was lost there.
struct DamagedRange: Hashable {
  /// Where the damage begins, and where the next good batch does (or the file ends).
  let position: Int64
  let end: Int64
  /// The first offset that cannot be read, and the first one behind it that can.
  let firstOffset: Offset
  let endOffset: Offset
  let reason: String

  var offsets: Range<Offset> { firstOffset..<max(firstOffset, endOffset) }
}

extension LogSegment {
  /// The damage that took the record at `offset`.
  func damage(at offset: Offset) -> DamagedRange? {
    damages.first { $0.firstOffset <= offset && offset < $0.endOffset }
  }

  /// The first damage behind `position`.
  func damage(behind position: Int64) -> DamagedRange? { damages.first { $0.position >= position } }

  func damaged(_ damage: DamagedRange) -> LogError { damaged(damage.position, damage.reason) }

  /// The written parts of the file from `position` on that are not known to be damaged.
  func intactRuns(from position: Int64) -> [Range<Int64>] {
    var runs: [Range<Int64>] = []
    var start = position
    for damage in damages where damage.end > start {
      if damage.position > start { runs.append(start..<damage.position) }
      start = damage.end
    }
    if start < writtenByteCount { runs.append(start..<writtenByteCount) }
    return runs
  }

  /// Shows every batch header from `position` on to `body`, damaged places left out.
  func forEachIntactHeader(
    from position: Int64, _ environment: LogEnvironment, _ body: (RecordBatchHeader) -> Void
  ) throws(LogError) {
    for run in intactRuns(from: position) {
      try forEachHeader(from: run.lowerBound, to: run.upperBound, environment) { header, _ in
        body(header)
        return true
      }
    }
  }

  /// The first whole batch with a right checksum behind the damage at `damage`, of offsets from `least` up to `limit`:
  /// where the damaged batch says that it ends, else wherever one is found. A batch that was sent as a record's value
  /// looks like one too: with `isFollowed` only one counts that the end or another header follows.
  func intactBatch(
    behind damage: Int64, least: Offset, limit: Offset?, to end: Int64, isFollowed: Bool, _ environment: LogEnvironment
  ) throws(LogError) -> (position: Int64, baseOffset: Offset)? {
    let search = BatchSearch(segment: self, end: end, least: least, limit: limit, isFollowed: isFollowed, environment)
    if let header = try search.header(at: damage, least: least) {
      let next = damage + Int64(header.totalByteCount)
      if next >= end { return nil }
      if let found = try search.intact(at: next) { return (next, found.baseOffset) }
    }
    return try search.first(from: damage + 1)
  }
}

/// Looking for a batch where nothing says that one begins.
private struct BatchSearch {
  let segment: LogSegment
  let end: Int64
  let least: Offset
  let limit: Offset?
  let isFollowed: Bool
  let environment: LogEnvironment

  private static let blockByteCount: Int64 = 256 << 10

  init(
    segment: LogSegment, end: Int64, least: Offset, limit: Offset?, isFollowed: Bool, _ environment: LogEnvironment
  ) {
    self.segment = segment
    self.end = end
    self.least = least
    self.limit = limit
    self.isFollowed = isFollowed
    self.environment = environment
  }

  /// Tries every byte. What is checksummed in vain is limited: made-up headers must not make a start endless.
  func first(from start: Int64) throws(LogError) -> (position: Int64, baseOffset: Offset)? {
    let file = try onFile { () throws(IOError) in try environment.handles.file(segment.log) }
    let scratch = environment.batchScratches.take()
    defer { environment.batchScratches.giveBack(scratch) }
    var checksummedBytesLeft = 4 * (end - start) + (64 << 20)
    var blockStart = start
    while blockStart < end {
      let bytes = scratch.bytes(Int(min(Self.blockByteCount, end - blockStart)))
      let count = try onFile { () throws(IOError) in try file.read(into: bytes, at: blockStart) }
      guard count >= RecordBatchHeader.byteCount else { return nil }
      for place in 0...(count - RecordBatchHeader.byteCount) where bytes[place + 16] == 2 {
        let position = blockStart + Int64(place)
        let head = UnsafeRawBufferPointer(rebasing: bytes[place..<count])
        guard let header = plausible(head, at: position, least: least) else { continue }
        checksummedBytesLeft -= Int64(header.totalByteCount)
        guard checksummedBytesLeft >= 0 else { return nil }
        if let found = try intact(at: position) { return (position, found.baseOffset) }
      }
      blockStart += Int64(count - RecordBatchHeader.byteCount + 1)
    }
    return nil
  }

  /// The header at `position`, where there is one that can be of this segment.
  func header(at position: Int64, least: Offset) throws(LogError) -> RecordBatchHeader? {
    guard position >= 0, end - position >= Int64(RecordBatchHeader.byteCount) else { return nil }
    let bytes = environment.headerScratch.bytes(RecordBatchHeader.byteCount)
    let count = try onFile { () throws(IOError) in
      try environment.handles.file(segment.log).read(into: bytes, at: position)
    }
    return plausible(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: position, least: least)
  }

  /// The header of the whole batch at `position`, its checksum verified.
  func intact(at position: Int64) throws(LogError) -> RecordBatchHeader? {
    guard let header = try header(at: position, least: least) else { return nil }
    let scratch = environment.batchScratches.take()
    defer { environment.batchScratches.giveBack(scratch) }
    let bytes = scratch.bytes(header.totalByteCount)
    let count = try onFile { () throws(IOError) in
      try environment.handles.file(segment.log).read(into: bytes, at: position)
    }
    guard count == bytes.count, header.checksumMatches(UnsafeRawBufferPointer(bytes)) else { return nil }
    let next = position + Int64(header.totalByteCount)
    if isFollowed, next < end, try self.header(at: next, least: header.nextOffset) == nil { return nil }
    return header
  }

  private func plausible(_ bytes: UnsafeRawBufferPointer, at position: Int64, least: Offset) -> RecordBatchHeader? {
    guard let header = RecordBatchHeader(reading: bytes), header.magic == 2,
      header.totalByteCount >= RecordBatchHeader.byteCount, Int64(header.totalByteCount) <= end - position,
      header.lastOffsetDelta >= 0, header.baseOffset >= least, header.lastOffset >= header.baseOffset,
      header.lastOffset.value &- segment.baseOffset.value <= Int64(Int32.max)
    else { return nil }
    if let limit, header.lastOffset >= limit { return nil }
    return header
  }
}
