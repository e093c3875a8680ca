internal import Effects
internal import Primitives
internal import Records

extension Log {
  /// Brings the leader epochs into their checkpoint, where they changed. The next flush syncs it; until then the batches
  /// behind the recovery point tell the same.
  func writeLeaderEpochs() throws(IOError) {
    guard leaderEpochsChanged else { return }
    try environment.writeUnsynced(path(LogFileName.leaderEpochs), Array(leaderEpochs.checkpoint.utf8))
    leaderEpochsChanged = false
    leaderEpochsUnsynced = true
  }

  /// The same, where a full disk must not hold a flush up: the checkpoint is then removed, which needs no room, and the log
  /// itself is asked at the next start. An old one would not know of a term that the recovery point has passed.
  func writeOrDropLeaderEpochs() throws(IOError) {
    do throws(IOError) { try writeLeaderEpochs() } catch {
      guard error.isOutOfSpace else { throw error }
      let file = path(LogFileName.leaderEpochs)
      if environment.fileSystem.exists(file) { try environment.fileSystem.removeFile(file) }
      leaderEpochsUnsynced = false
      directoryChanged = true
    }
  }

  /// Reads the checkpoint, or where it is missing or damaged the whole log. The checkpoint is written at every roll and
  /// synced at every flush, so only the active segment after a clean stop, what is behind the recovery point after another, and any
  /// batch where there is none, may know of newer terms. They are asked unless the last stop was clean and the checkpoint
  /// knows the term of the last batch.
  ///
  /// After a stop that was not clean they are written at once: a sync of the whole file system (`noteSyncedSinceOpen`) moves
  /// the recovery point past batches whose terms an old file does not know, and the next start would not ask them again.
  func loadLeaderEpochs(_ names: [String], _ mode: LogRecoveryMode) throws(IOError) {
    try readLeaderEpochs(names, mode)
    guard mode != .clean else { return }
    // A disk that takes no writes keeps no log shut.
    do throws(IOError) { try writeOrDropLeaderEpochs() } catch { areOpenedTermsUnwritten = true }
  }

  private func readLeaderEpochs(_ names: [String], _ mode: LogRecoveryMode) throws(IOError) {
    let file = path(LogFileName.leaderEpochs)
    var isKnown = false
    if names.contains(LogFileName.leaderEpochs) {
      let text = String(decoding: try environment.fileSystem.readAll(file), as: UTF8.self)
      if let read = LeaderEpochs(checkpoint: text) {
        leaderEpochs = read
        isKnown = true
      } else {
        environment.log?(.ignoredDamagedFile(topicPartition, path: file, reason: "no leader epoch checkpoint"))
      }
    }
    leaderEpochs.truncateFromEnd(logEndOffset)
    // What was read may never have reached the disk: it is written again, to be synced with the next batches.
    if mode != .clean { leaderEpochsChanged = true }
    defer { leaderEpochs.truncateFromStart(logStartOffset) }
    isKnown = isKnown && (!leaderEpochs.entries.isEmpty || logStartOffset == logEndOffset)
    if isKnown, mode == .clean, recoveredEpoch <= leaderEpochs.latest { return }
    // A recovery point beyond the end says nothing of what is there: the log was cut since it was noted.
    let point = mode.tornFrom.flatMap { $0 <= logEndOffset ? $0 : nil } ?? .zero
    let newer = mode == .clean ? active.baseOffset : max(point, logStartOffset)
    // Terms of what was not flushed are those of its batches: the checkpoint may be of batches that are gone.
    if mode != .clean { leaderEpochs.truncateFromEnd(newer) }
    try forEachHeader(from: isKnown ? newer : logStartOffset) { header in
      guard header.partitionLeaderEpoch > leaderEpochs.latest else { return }
      leaderEpochs.assign(header.partitionLeaderEpoch, from: header.baseOffset)
      leaderEpochsChanged = true
    }
  }

  /// Shows the headers from the batch that holds `offset` (or from earlier on) to the end to `body`. Damaged places are
  /// left out: reading says so when somebody asks for what is there.
  func forEachHeader(from offset: Offset, _ body: (RecordBatchHeader) -> Void) throws(IOError) {
    let first = max(offset, segments[0].baseOffset)
    var start: (number: Int, position: Int64)
    do throws(LogError) {
      guard let found = try locate(first) else { return }
      start = (segmentNumber(of: found.segment.baseOffset), found.position)
    } catch {
      if case .io(let cause) = error { throw cause }
      start = (segmentNumber(of: first), 0)
    }
    for number in start.number..<segments.count {
      do throws(LogError) {
        let position = number == start.number ? start.position : 0
        try segments[number].forEachIntactHeader(from: position, environment, body)
      } catch {
        if case .io(let cause) = error { throw cause }
      }
    }
  }
}
