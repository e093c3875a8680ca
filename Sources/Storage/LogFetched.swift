internal import Effects
package import Primitives
internal import Records

/// Copying another broker's log: Kafka's `UnifiedLog.appendAsFollower`.
extension Log {
  /// Appends whole batches exactly as the leader has them: their offsets and terms are in them. A part of a batch at the end
  /// is left out. All are checked before the first is written; they are in the file when it returns. Where it throws, those
  /// that were written before the failure stay, whole, and are counted.
  ///
  /// The first may lie behind the end of the log, and there may be gaps between them: compaction made those. Terms do not go
  /// back, nor beyond `leaderEpoch`, which is the leader's. Only an empty log takes a first batch that begins before its end:
  /// the leader's log begins within that batch. Returns whether there was a batch.
  ///
  /// - Throws: `.corrupt` for what does not fit; `.io` and `.fenced` as `append`.
  package func appendFetched(
    _ bytes: UnsafeRawBufferPointer, leaderEpoch: LeaderEpoch, now: Timestamp
  ) throws(LogError) -> Bool {
    if isFenced { throw .fenced }
    if let stalled { throw .io(stalled) }
    try writePending()
    let headers = try checkFetched(bytes, leaderEpoch)
    guard let first = headers.first else { return false }
    let start = logStartOffset
    if first.baseOffset < logEndOffset { try restart(at: first.baseOffset, now: now) }
    var run = FetchedRun()
    for header in headers {
      if mustRoll(before: header, now: now) {
        try write(&run, of: bytes)
        try roll(before: header, now: now)
      }
      // Opened before an offset counts: where it cannot be, nothing has to be taken back.
      if run.file == nil { run.file = try onFile { () throws(IOError) in try environment.handles.file(active.log) } }
      noteFetched(header, now: now)
      run.byteCount += header.totalByteCount
    }
    try write(&run, of: bytes)
    if start > logStartOffset { try deleteRecords(before: start, now: now) }
    return true
  }

  /// Batches that go into one file with one write.
  private struct FetchedRun {
    var position = 0
    var byteCount = 0
    var file: (any File)?
  }

  private func write(_ run: inout FetchedRun, of bytes: UnsafeRawBufferPointer) throws(LogError) {
    defer { run = FetchedRun(position: run.position + run.byteCount) }
    guard let file = run.file, run.byteCount > 0 else { return }
    let range = run.position..<run.position + run.byteCount
    do throws(IOError) {
      active.reserve(run.byteCount, file, config)
      try file.write(UnsafeRawBufferPointer(rebasing: bytes[range]), at: active.writtenByteCount)
    } catch { throw writeFailed(error) }
    active.writtenByteCount += Int64(run.byteCount)
    writtenBytes += Int64(run.byteCount)
    writtenEndOffset = logEndOffset
  }

  /// Everything but the bytes.
  private func noteFetched(_ header: RecordBatchHeader, now: Timestamp) {
    isChanged = true
    recent.note(baseOffset: header.baseOffset, position: active.byteCount)
    active.noteAppend(
      byteCount: header.totalByteCount, lastOffset: header.lastOffset, timestamp: header.newestTimestamp, now: now,
      indexIntervalBytes: config.indexIntervalBytes, environment)
    if header.partitionLeaderEpoch > leaderEpochs.latest {
      leaderEpochs.assign(header.partitionLeaderEpoch, from: header.baseOffset)
      leaderEpochsChanged = true
    }
    if header.producerID.value >= 0 { producers.appended(header, baseOffset: header.baseOffset, now: now) }
    logEndOffset = header.nextOffset
  }

  private func mustRoll(before header: RecordBatchHeader, now: Timestamp) -> Bool {
    active.mustRoll(
      before: header.totalByteCount, lastOffset: header.lastOffset, timestamp: header.newestTimestamp, now: now, config)
  }

  /// The next segment begins where the log ends, though the batch begin later: there is no gap between segments. An empty
  /// one that the batch lies too far behind gives way to one that begins with it.
  private func roll(before header: RecordBatchHeader, now: Timestamp) throws(LogError) {
    if active.byteCount > 0 { try roll(now: now) }
    guard header.lastOffset.value &- active.baseOffset.value > Int64(Int32.max) else { return }
    let empty = active
    try onFile { () throws(IOError) in
      let segment = try makeSegment(at: header.baseOffset, now: now)
      segments[segments.count - 1] = segment
      active = segment
      try removeFiles(of: empty)
    }
    logEndOffset = header.baseOffset
    writtenEndOffset = header.baseOffset
    if segments.count == 1 { logStartOffset = max(logStartOffset, header.baseOffset) }
  }

  // MARK: checking

  /// The headers of the whole batches in `bytes`, each of them checked with its checksum against the log.
  private func checkFetched(
    _ bytes: UnsafeRawBufferPointer, _ leaderEpoch: LeaderEpoch
  ) throws(LogError) -> [RecordBatchHeader] {
    var headers: [RecordBatchHeader] = []
    var position = 0
    var end = logEndOffset
    var epoch = leaderEpochs.latest
    while let header = RecordBatchHeader(reading: UnsafeRawBufferPointer(rebasing: bytes[position...])) {
      let reason = Self.fault(of: header, leaderEpoch, behind: epoch)
      if let reason { throw damaged(position, reason) }
      guard header.totalByteCount <= bytes.count - position else { break }
      let isBeginning = headers.isEmpty && logStartOffset == logEndOffset && header.lastOffset >= end
      guard header.baseOffset >= end || isBeginning else {
        throw damaged(position, "a batch at offset \(header.baseOffset.value), where the log ends at \(end.value)")
      }
      let batch = UnsafeRawBufferPointer(rebasing: bytes[position..<position + header.totalByteCount])
      guard header.checksumMatches(batch) else { throw damaged(position, "the checksum does not match") }
      headers.append(header)
      position += header.totalByteCount
      end = header.nextOffset
      epoch = max(epoch, header.partitionLeaderEpoch)
    }
    return headers
  }

  /// No record has an offset beyond this: sums of offsets and lengths do not wrap.
  private static var offsetMax: Int64 { .max - 1 << 33 }

  private static func fault(
    of header: RecordBatchHeader, _ leaderEpoch: LeaderEpoch, behind epoch: LeaderEpoch
  ) -> String? {
    if header.magic != 2 { return "a batch of format \(header.magic)" }
    if header.totalByteCount < RecordBatchHeader.byteCount { return "a batch of \(header.totalByteCount) bytes" }
    if header.lastOffsetDelta < 0 || header.recordCount < 0 { return "a batch with a negative count" }
    if header.baseOffset.value < 0 || header.baseOffset.value > offsetMax { return "an impossible offset" }
    if header.partitionLeaderEpoch > leaderEpoch {
      return "a batch of leader epoch \(header.partitionLeaderEpoch.value), while the leader's is \(leaderEpoch.value)"
    }
    if header.partitionLeaderEpoch < epoch, header.partitionLeaderEpoch.value >= 0 {
      return "a batch of leader epoch \(header.partitionLeaderEpoch.value) behind one of \(epoch.value)"
    }
    return nil
  }

  private func damaged(_ position: Int, _ reason: String) -> LogError {
    .corrupt(path: "what was fetched for \(topicPartition)", position: Int64(position), reason: reason)
  }
}
