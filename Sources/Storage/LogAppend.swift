internal import Effects
package import Primitives
package import Records

/// The offsets one batch was given.
package struct AppendResult: Hashable, Sendable {
  package let baseOffset: Offset
  package let lastOffset: Offset
}

extension Log {
  /// Puts one validated batch at the end, as leader in `leaderEpoch`: gives it offsets, patches base offset and epoch in
  /// its own copy of the first 16 bytes, never in `batch`. `header` is that of `batch`; `now` the broker's clock.
  ///
  /// Small batches wait in memory for `writePending`. A large one is written at once, from the caller's memory.
  ///
  /// Files are opened before an offset is given: where none can be opened, or the next segment cannot be made, the append
  /// fails with `.io`, nothing is changed, and a later one may succeed. A failed write of batches fences the log, or stalls
  /// it where the disk was full.
  package func append(
    _ batch: UnsafeRawBufferPointer, header: RecordBatchHeader, leaderEpoch: LeaderEpoch, appendTime now: Timestamp
  ) throws(LogError) -> AppendResult {
    if isFenced { throw .fenced }
    if let stalled { throw .io(stalled) }
    precondition(
      batch.count == header.totalByteCount && batch.count >= RecordBatchHeader.byteCount && header.lastOffsetDelta >= 0,
      "a batch of \(batch.count) bytes that was not validated")
    guard batch.count <= config.segmentBytes, batch.count < Int32.max else {
      throw .batchTooLarge(byteCount: batch.count, segmentBytes: config.segmentBytes)
    }
    let base = logEndOffset
    let last = base.advanced(by: Int64(header.lastOffsetDelta))
    if active.mustRoll(before: batch.count, lastOffset: last, timestamp: header.maxTimestamp, now: now, config) {
      try roll(now: now)
    }
    if batch.count >= Self.directWriteByteCount {
      try writeDirectly(batch, base: base, end: last.advanced(by: 1), leaderEpoch)
    } else {
      try gather(batch, base: base, leaderEpoch)
    }
    note(header, byteCount: batch.count, base: base, last: last, leaderEpoch, now: now)
    return AppendResult(baseOffset: base, lastOffset: last)
  }

  /// Everything but the bytes.
  @inline(__always)
  private func note(
    _ header: RecordBatchHeader, byteCount: Int, base: Offset, last: Offset, _ leaderEpoch: LeaderEpoch, now: Timestamp
  ) {
    isChanged = true
    recent.note(baseOffset: base, position: active.byteCount)
    active.noteAppend(
      byteCount: byteCount, lastOffset: last, timestamp: header.maxTimestamp, now: now,
      indexIntervalBytes: config.indexIntervalBytes, environment)
    if leaderEpoch > leaderEpochs.latest {
      leaderEpochs.assign(leaderEpoch, from: base)
      leaderEpochsChanged = true
    }
    if header.producerID.value >= 0 { producers.appended(header, baseOffset: base, now: now) }
    logEndOffset = last.advanced(by: 1)
  }

  private func gather(
    _ batch: UnsafeRawBufferPointer, base: Offset, _ leaderEpoch: LeaderEpoch
  ) throws(LogError) {
    if let pending, pending.count + batch.count > Self.pendingByteCountMax { try writePending() }
    let buffer: OutputBuffer
    if let pending {
      buffer = pending
    } else {
      pendingFile = try onFile { () throws(IOError) in try environment.handles.file(active.log) }
      buffer = environment.pendingBuffers.take()
      pending = buffer
    }
    let position = buffer.end
    buffer.append(batch)
    Self.patch(buffer.base + position, base: base, leaderEpoch)
  }

  /// Base offset and leader epoch, the two fields outside the checksum.
  @inline(__always)
  private static func patch(_ bytes: UnsafeMutableRawPointer, base: Offset, _ leaderEpoch: LeaderEpoch) {
    bytes.storeBigEndian(base.value, at: 0)
    bytes.storeBigEndian(leaderEpoch.value, at: 12)
  }

  private func writeDirectly(
    _ batch: UnsafeRawBufferPointer, base: Offset, end: Offset, _ leaderEpoch: LeaderEpoch
  ) throws(LogError) {
    try writePending()
    let head = environment.headerScratch.bytes(16)
    head.copyBytes(from: batch[..<16])
    if let bytes = head.baseAddress { Self.patch(bytes, base: base, leaderEpoch) }
    let rest = UnsafeRawBufferPointer(rebasing: batch[16...])
    let file = try onFile { () throws(IOError) in try environment.handles.file(active.log) }
    do throws(IOError) {
      active.reserve(batch.count, file, config)
      try file.write(UnsafeRawBufferPointer(head), rest, at: active.writtenByteCount)
    } catch { throw writeFailed(error) }
    active.writtenByteCount += Int64(batch.count)
    writtenBytes += Int64(batch.count)
    writtenEndOffset = end
  }

  /// Writes what the turn's appends left in memory. When that fails the log ends at `writtenEndOffset`, fenced or stalled.
  package func writePending() throws(LogError) {
    if isFenced { throw .fenced }
    guard let buffer = pending, let file = pendingFile else { return }
    do throws(IOError) {
      active.reserve(buffer.count, file, config)
      try file.write(buffer.bytes, at: active.writtenByteCount)
    } catch { throw writeFailed(error) }
    active.writtenByteCount += Int64(buffer.count)
    writtenBytes += Int64(buffer.count)
    writtenEndOffset = logEndOffset
    dropPending()
  }

  /// The turn's appends are in the file, or lost.
  func dropPending() {
    if let pending { environment.pendingBuffers.giveBack(pending) }
    pending = nil
    pendingFile = nil
  }

  /// Closes the active segment and begins the next at the end of the log. Nothing is synced: the recovery point stays
  /// where it was. Where the next segment cannot be made, the log stays as it is, with the active one; fenced where its
  /// file can neither be used nor removed.
  func roll(now: Timestamp) throws(LogError) {
    try writePending()
    let segment = try onFile { () throws(IOError) in
      active.seal(environment)
      if let failure = active.indexWriteFailure { throw failure }
      try writeProducerSnapshot()
      try writeLeaderEpochs()
      return try makeSegment(at: logEndOffset, now: now)
    }
    sealedIndexes += [active.offsetIndex.slot, active.timeIndex.slot]
    segments.append(segment)
    active = segment
    isChanged = true
    recent.removeAll()
    environment.log?(.rolled(topicPartition, baseOffset: active.baseOffset))
  }

  /// A new, empty segment: its file is there, the folder not yet synced.
  func makeSegment(at baseOffset: Offset, now: Timestamp) throws(IOError) -> LogSegment {
    let segment = LogSegment(
      directory: directory, baseOffset: baseOffset, jitterMs: jitterMs(at: baseOffset), now: now)
    let file = try environment.handles.file(segment.log)
    directoryChanged = true
    do throws(IOError) {
      // A file of that name can only be what an unfinished start left behind.
      if try file.size() > 0 { try file.truncate(to: 0) }
      for slot in [segment.offsetIndex.slot, segment.timeIndex.slot] where environment.fileSystem.exists(slot.path) {
        try environment.fileSystem.removeFile(slot.path)
      }
    } catch {
      // Appends go on in the segment before: no file may say that another begins here. Where it stays they do not.
      environment.handles.close(segment.log)
      do throws(IOError) { try environment.fileSystem.removeFile(segment.log.path) } catch { _ = fence(.io(error)) }
      throw error
    }
    return segment
  }

  /// The part of `segment.jitter.ms` taken off for one segment: even over the range, the same at every start.
  func jitterMs(at baseOffset: Offset) -> Int64 {
    let range = min(config.segmentJitterMs, config.segmentMs)
    guard range > 0 else { return 0 }
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    func mix(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    topicPartition.description.utf8.forEach(mix)
    withUnsafeBytes(of: baseOffset.value.littleEndian) { $0.forEach(mix) }
    return Int64(hash % UInt64(range))
  }
}
