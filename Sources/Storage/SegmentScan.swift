internal import Effects
internal import Primitives
internal import Records

/// Walking the batches of a segment file from a position on.
extension LogSegment {
  /// Bytes read at once while only headers are looked at: two index intervals.
  private static var headerBlockByteCount: Int { 8192 }

  /// Shows each batch header from `position` to `end` to `body`, which says whether to go on. A header that cannot be
  /// one of this segment is `.corrupt`; so is a batch that reaches beyond `end`.
  func forEachHeader(
    from position: Int64, to end: Int64, _ environment: LogEnvironment,
    _ body: (RecordBatchHeader, Int64) throws(LogError) -> Bool
  ) throws(LogError) {
    let file = try onFile { () throws(IOError) in try environment.handles.file(log) }
    var position = position
    var blockStart: Int64 = 0
    var block = UnsafeRawBufferPointer(start: nil, count: 0)
    var least = baseOffset
    while position < end {
      if position < blockStart || position + Int64(RecordBatchHeader.byteCount) > blockStart + Int64(block.count) {
        let wanted = Int(min(Int64(Self.headerBlockByteCount), end - position))
        let bytes = environment.headerScratch.bytes(wanted)
        let count = try onFile { () throws(IOError) in try file.read(into: bytes, at: position) }
        block = UnsafeRawBufferPointer(rebasing: bytes[..<count])
        blockStart = position
      }
      let rest = UnsafeRawBufferPointer(rebasing: block[Int(position - blockStart)...])
      let header = try header(in: rest, at: position, end: end, least: least)
      guard try body(header, position) else { return }
      least = header.nextOffset
      position += Int64(header.totalByteCount)
    }
  }

  /// The header at the start of `bytes`, which stand at `position`; checked as far as a header can be.
  func header(
    in bytes: UnsafeRawBufferPointer, at position: Int64, end: Int64, least: Offset
  ) throws(LogError) -> RecordBatchHeader {
    guard let header = RecordBatchHeader(reading: bytes) else { throw damaged(position, "less than a batch header") }
    guard header.magic == 2 else { throw damaged(position, "magic \(header.magic)") }
    guard header.totalByteCount >= RecordBatchHeader.byteCount, Int64(header.totalByteCount) <= end - position else {
      throw damaged(position, "a batch of \(header.totalByteCount) bytes where \(end - position) are left")
    }
    guard header.lastOffsetDelta >= 0, header.baseOffset >= least,
      header.lastOffset >= header.baseOffset, header.lastOffset.value &- baseOffset.value <= Int64(Int32.max)
    else { throw damaged(position, "base offset \(header.baseOffset.value) where \(least.value) or more was due") }
    return header
  }

  /// Shows each whole batch from `position` to `end` to `body` with its header. The memory is good only during the call.
  func forEachBatch(
    from position: Int64, to end: Int64, _ environment: LogEnvironment,
    _ body: (RecordBatchHeader, UnsafeRawBufferPointer, Int64) throws(LogError) -> Bool
  ) throws(LogError) {
    let file = try onFile { () throws(IOError) in try environment.handles.file(log) }
    // Its own memory: the body may look into this or another log.
    let scratch = environment.batchScratches.take()
    defer { environment.batchScratches.giveBack(scratch) }
    var blockByteCount = 64 << 10
    var position = position
    var least = baseOffset
    while position < end {
      let bytes = scratch.bytes(Int(min(Int64(blockByteCount), end - position)))
      let count = try onFile { () throws(IOError) in try file.read(into: bytes, at: position) }
      let block = UnsafeRawBufferPointer(rebasing: bytes[..<count])
      var used = 0
      while used < count {
        let rest = UnsafeRawBufferPointer(rebasing: block[used...])
        let isShort = rest.count < RecordBatchHeader.byteCount && position + Int64(rest.count) < end
        if isShort, used > 0 { break }
        let header = try header(in: rest, at: position, end: end, least: least)
        if rest.count < header.totalByteCount {
          if used > 0 { break }
          guard bytes.count < header.totalByteCount else { throw damaged(position, "the file ends within a batch") }
          blockByteCount = header.totalByteCount
          break
        }
        let batch = UnsafeRawBufferPointer(rebasing: rest[..<header.totalByteCount])
        guard try body(header, batch, position) else { return }
        least = header.nextOffset
        used += header.totalByteCount
        position += Int64(header.totalByteCount)
      }
      if count == 0 { throw damaged(position, "the file is shorter than its log") }
    }
  }

  func damaged(_ position: Int64, _ reason: String) -> LogError {
    .corrupt(path: log.path, position: position, reason: reason)
  }

  /// Where the first batch begins whose last offset is at least `offset`: by the index, then by headers. nil when there
  /// is none among the written ones; `.corrupt` when the batch is damaged.
  func locate(_ offset: Offset, _ environment: LogEnvironment) throws(LogError) -> BatchLocation? {
    if let damage = damage(at: offset) { throw damaged(damage) }
    // Behind the last damage before it.
    let least = damages.last { $0.endOffset <= offset }?.end ?? 0
    let entry = try onFile { () throws(IOError) in try offsetIndex.floor(offset.value, environment) }
    let isSane = entry.map { $0.position >= 0 && Int64($0.position) < byteCount && $0.offset >= baseOffset } ?? true
    var isWrong = !isSane
    if let entry, isSane, Int64(entry.position) < writtenByteCount, Int64(entry.position) >= least {
      do throws(LogError) {
        return try locate(offset, from: Int64(entry.position), due: entry.offset, environment)
      } catch {
        // The index may be what is damaged: it is a hint, the log is the truth.
        guard case .corrupt = error else { throw error }
        isWrong = true
      }
    }
    do throws(LogError) {
      let found = try locate(offset, from: least, due: nil, environment)
      if isWrong { hasWrongIndex = true }
      return found
    } catch {
      // Damage that an earlier start found, and left with an entry for the batch behind it.
      guard case .corrupt = error, let found = try locateByNextEntry(offset, environment) else { throw error }
      return found
    }
  }

  /// The batch of the first entry that reaches to `offset`, where it holds that.
  private func locateByNextEntry(
    _ offset: Offset, _ environment: LogEnvironment
  ) throws(LogError) -> BatchLocation? {
    let next = try onFile { () throws(IOError) in try offsetIndex.ceiling(offset.value, environment) }
    guard let next, next.position >= 0, Int64(next.position) < writtenByteCount else { return nil }
    var found: BatchLocation?
    try forEachHeader(from: Int64(next.position), to: writtenByteCount, environment) { header, position in
      if header.lastOffset == next.offset, header.baseOffset <= offset {
        found = BatchLocation(segment: self, position: position, header: header)
      }
      return false
    }
    return found
  }

  /// The same by headers alone, from a position on; `due` is the last offset of the batch there, if that is known.
  private func locate(
    _ offset: Offset, from start: Int64, due: Offset?, _ environment: LogEnvironment
  ) throws(LogError) -> BatchLocation? {
    var due = due
    var found: BatchLocation?
    try forEachHeader(from: start, to: writtenByteCount, environment) { header, position throws(LogError) in
      if let due, header.lastOffset != due { throw damaged(position, "the index is of another log") }
      due = nil
      guard header.lastOffset >= offset else { return true }
      found = BatchLocation(segment: self, position: position, header: header)
      return false
    }
    return found
  }
}

/// Where a batch stands.
struct BatchLocation {
  let segment: LogSegment
  let position: Int64
  let baseOffset: Offset
  /// Bytes of the whole batch, where known without reading.
  let byteCount: Int64?

  init(segment: LogSegment, position: Int64, header: RecordBatchHeader) {
    self.init(
      segment: segment, position: position, baseOffset: header.baseOffset, byteCount: Int64(header.totalByteCount))
  }

  init(segment: LogSegment, position: Int64, baseOffset: Offset, byteCount: Int64?) {
    self.segment = segment
    self.position = position
    self.baseOffset = baseOffset
    self.byteCount = byteCount
  }
}
