internal import Effects
internal import Primitives
internal import Records

extension Log {
  /// Walks a segment from its start and makes its indexes anew. Where no batch follows, the tail of the log, or whatever
  /// lies at `tornFrom` or behind it, is cut there; any other segment keeps its bytes: the place is remembered as damaged,
  /// and the walk goes on at the next good batch. Returns the offset behind the last good batch, and whether it was cut.
  func rebuild(
    _ segment: LogSegment, verifying: Bool, isTail: Bool, tornFrom: Offset? = nil, nextBase: Offset?
  ) throws(IOError) -> (end: Offset, isCut: Bool) {
    let size = segment.byteCount
    segment.offsetIndex.removeAll(environment)
    segment.timeIndex.removeAll(environment)
    segment.forgetBatches()
    recoveredEpoch = .none
    var end = segment.baseOffset
    var position: Int64? = 0
    var isCut = false
    while let start = position {
      let limit = isTail ? nil : nextBase
      guard let damage = try noteBatches(of: segment, from: start, to: size, limit: limit, verifying, end: &end) else {
        break
      }
      if isTail || tornFrom.map({ $0 <= end }) ?? false {
        try cut(segment, at: damage.position, size: size, damage.reason, wasTorn: verifying)
        isCut = true
        break
      }
      position = try keep(segment, damage, size: size, due: end, nextBase: nextBase)
    }
    if !isTail, !isCut { segment.byteCount = size }
    segment.writtenByteCount = segment.byteCount
    segment.seal(environment)
    reportUnwritten(segment)
    recovered.rebuiltIndexes += 1
    if !verifying { environment.log?(.rebuiltIndexes(topicPartition, path: segment.log.path)) }
    return (end, isCut)
  }

  /// Says so when the new indexes could not be written, on a full disk for one. They are used from memory.
  private func reportUnwritten(_ segment: LogSegment) {
    guard let failure = segment.indexWriteFailure else { return }
    environment.log?(
      .ignoredDamagedFile(topicPartition, path: failure.path, reason: "it cannot be written anew: \(failure)"))
  }

  /// Takes note of the batches from `start` on, and of the offset behind them; returns where, and why, it could not go on.
  func noteBatches(
    of segment: LogSegment, from start: Int64, to size: Int64, limit: Offset?, _ verifying: Bool, end: inout Offset
  ) throws(IOError) -> (position: Int64, reason: String)? {
    func note(_ header: RecordBatchHeader, _ position: Int64) throws(LogError) {
      if let limit, header.lastOffset >= limit {
        throw segment.damaged(position, "offset \(header.lastOffset.value) in a segment that ends at \(limit.value)")
      }
      segment.byteCount = position
      segment.noteAppend(
        byteCount: header.totalByteCount, lastOffset: header.lastOffset, timestamp: header.newestTimestamp,
        now: segment.lastAppendTime, indexIntervalBytes: config.indexIntervalBytes, environment)
      end = header.nextOffset
      recoveredEpoch = header.partitionLeaderEpoch
    }
    do throws(LogError) {
      if verifying {
        try segment.forEachBatch(from: start, to: size, environment) { header, batch, position throws(LogError) in
          guard header.checksumMatches(batch) else { throw segment.damaged(position, "the checksum does not match") }
          try note(header, position)
          return true
        }
      } else {
        try segment.forEachHeader(from: start, to: size, environment) { header, position throws(LogError) in
          try note(header, position)
          return true
        }
      }
      return nil
    } catch {
      guard case .corrupt(_, let position, let reason) = error else { throw error.cause(segment.log.path) }
      return (position, reason)
    }
  }

  /// A damaged place that is not the tail stays in the file. Returns where the next good batch begins.
  private func keep(
    _ segment: LogSegment, _ damage: (position: Int64, reason: String), size: Int64, due: Offset, nextBase: Offset?
  ) throws(IOError) -> Int64? {
    let next = try intactBatch(of: segment, behind: damage.position, size: size, least: due, nextBase, isFollowed: true)
    let range = DamagedRange(
      position: damage.position, end: next?.position ?? size, firstOffset: due,
      endOffset: next?.baseOffset ?? nextBase ?? due, reason: damage.reason)
    segment.damages.append(range)
    firstLostOffset = min(firstLostOffset ?? due, due)
    recovered.damagedBatches += 1
    if segment.damages.count <= Self.reportedDamagesMax {
      environment.log?(
        .damagedBatch(
          topicPartition, path: segment.log.path, position: damage.position, offsets: range.offsets,
          reason: damage.reason))
    }
    // Whoever looks for an offset behind the damage must find an entry there: nobody can walk through it.
    segment.indexNextBatch()
    return next?.position
  }

  /// Damaged places of one segment that are reported one by one.
  private static var reportedDamagesMax: Int { 16 }

  private func intactBatch(
    of segment: LogSegment, behind position: Int64, size: Int64, least: Offset, _ limit: Offset?, isFollowed: Bool
  ) throws(IOError) -> (position: Int64, baseOffset: Offset)? {
    do throws(LogError) {
      return try segment.intactBatch(
        behind: position, least: least, limit: limit, to: size, isFollowed: isFollowed, environment)
    } catch { throw error.cause(segment.log.path) }
  }

  /// Cuts the tail of the log. When good batches follow the damage, a copy of what is cut off stays beside it; also where
  /// no stop can have torn it, for the log was closed in order.
  func cut(
    _ segment: LogSegment, at position: Int64, size: Int64, _ reason: String, wasTorn: Bool
  ) throws(IOError) {
    // An offset that is wrong itself makes all that follow look out of order: any of this segment counts.
    let least = segment.baseOffset
    let next = try intactBatch(of: segment, behind: position, size: size, least: least, nil, isFollowed: false)
    if next != nil || !wasTorn {
      try keepCopy(of: segment, from: position, to: size)
    }
    try segment.truncateFile(to: position, environment)
    try environment.handles.file(segment.log).sync()
    recovered.truncatedBytes += size - position
    environment.log?(
      .truncatedTail(topicPartition, path: segment.log.path, byteCount: size - position, reason: reason))
  }

  /// Copies a part of a segment to `<base>.log.damaged-<position>`, on the disk when it returns.
  private func keepCopy(of segment: LogSegment, from start: Int64, to end: Int64) throws(IOError) {
    let copyPath = unusedPath(segment.log.path + LogFileName.damaged + "-\(start)")
    let scratch = environment.batchScratches.take()
    defer { environment.batchScratches.giveBack(scratch) }
    do throws(IOError) {
      let copy = try environment.fileSystem.open(copyPath, .readWrite)
      var position = start
      while position < end {
        let bytes = scratch.bytes(Int(min(1 << 20, end - position)))
        let count = try environment.handles.file(segment.log).read(into: bytes, at: position)
        guard count > 0 else { break }
        try copy.write(UnsafeRawBufferPointer(rebasing: bytes[..<count]), at: position - start)
        position += Int64(count)
      }
      try copy.sync()
      try environment.fileSystem.syncDirectory(directory)
    } catch {
      // A part of a copy is of no use, and would pile up with every try.
      try? environment.fileSystem.removeFile(copyPath)
      throw error
    }
    environment.log?(.keptDamagedBytes(topicPartition, path: copyPath, byteCount: end - start))
  }

  /// `path`, or with a number behind it where there is such a file already.
  func unusedPath(_ path: String) -> String {
    var number = 0
    var candidate = path
    while environment.fileSystem.exists(candidate) {
      number += 1
      candidate = path + ".\(number)"
    }
    return candidate
  }
}
