package import Effects
package import Primitives

extension Log {
  /// Rolls an active segment that is old enough, and deletes the oldest segments that are older than `retention.ms` or
  /// beyond `retention.bytes`, none that reaches above `highWatermark`. Returns how many went.
  ///
  /// A segment's age is that of its newest record, but never less than the broker's clock at the last append says: a
  /// timestamp from the future keeps nothing alive.
  @discardableResult
  package func applyRetention(now: Timestamp, highWatermark: Offset) throws(LogError) -> Int {
    if isFenced { throw .fenced }
    try rollByAge(now: now)
    // The segments are about to be replaced by others: their turn comes the next time.
    guard swap == nil else { return 0 }
    var count = 0
    var excess = config.retentionBytes < 0 ? -1 : sizeBytes - config.retentionBytes
    for number in segments.indices {
      let segment = segments[number]
      let isDue = isExpired(segment, now: now) || (excess >= segment.byteCount && config.retentionBytes >= 0)
      let end = segment === active ? logEndOffset : endOffset(of: number)
      guard segment.byteCount > 0 || segment !== active, isDue, end <= highWatermark else { break }
      excess -= segment.byteCount
      count += 1
    }
    guard count > 0 else { return 0 }
    if count == segments.count { try roll(now: now) }
    try removeFirst(count, now: now)
    return count
  }

  private func isExpired(_ segment: LogSegment, now: Timestamp) -> Bool {
    guard config.retentionMs >= 0 else { return false }
    return now.milliseconds &- segment.retentionTimestamp.milliseconds > config.retentionMs
  }

  /// The active segment rolls on time also when nothing is written, so that what expired in it can go.
  private func rollByAge(now: Timestamp) throws(LogError) {
    guard active.byteCount > 0, let since = active.firstAppendTime else { return }
    if now.milliseconds &- since.milliseconds > config.segmentMs - active.jitterMs { try roll(now: now) }
  }

  /// Everything below `offset` may go: the log begins there, and whole segments below it are deleted. The owner has
  /// checked that `offset` is not above the high watermark.
  package func deleteRecords(before offset: Offset, now: Timestamp) throws(LogError) {
    guard offset <= logEndOffset else {
      throw .offsetOutOfRange(logStart: logStartOffset, logEnd: logEndOffset)
    }
    guard offset > logStartOffset else { return }
    logStartOffset = offset
    trimLeaderEpochs()
    try removeBelowStart(now: now)
  }

  /// Deletes the segments that lie wholly below the start of the log; while a swap is under way that is left to its end.
  func removeBelowStart(now: Timestamp) throws(LogError) {
    guard swap == nil else { return }
    let count = segments.dropLast().enumerated().prefix { segments[$0.offset + 1].baseOffset <= logStartOffset }.count
    if count > 0 { try removeFirst(count, now: now) }
  }

  /// Takes the first segments out of the log and renames their files; `removeDeleted` removes them later.
  private func removeFirst(_ count: Int, now: Timestamp) throws(LogError) {
    let removed = segments[..<count]
    segments.removeFirst(count)
    sealedIndexes.removeAll { slot in removed.contains { $0.slots.contains { $0 === slot } } }
    logStartOffset = max(logStartOffset, segments[0].baseOffset)
    trimLeaderEpochs()
    let due = now.milliseconds.addingReportingOverflow(config.fileDeleteDelayMs)
    let removedFrom = Timestamp(milliseconds: due.overflow ? .max : due.partialValue)
    do throws(IOError) {
      for segment in removed {
        try renameDeleted(segment)
        deletedSegments.append(DeletedSegment(slots: segment.slots, removedFrom: removedFrom))
      }
    } catch { throw fence(.io(error)) }
    directoryChanged = true
    isChanged = true
    // What is left undone here, when no file can be opened for one, is done the next time.
    let first = segments[0].baseOffset
    try? removeSnapshots { $0 < first }
    try? writeLeaderEpochs()
  }

  /// Gives the files of a segment names that no log reads. There may be older ones by such a name, after a cleaning. Where
  /// the disk has no room for a name the file is removed at once: a full disk must not keep what is to make room.
  func renameDeleted(_ segment: LogSegment) throws(IOError) {
    for slot in segment.slots where environment.fileSystem.exists(slot.path) {
      var path = slot.path + LogFileName.deleted
      while environment.fileSystem.exists(path) { path += LogFileName.deleted }
      do throws(IOError) { try environment.fileSystem.rename(slot.path, to: path) } catch {
        guard error.isOutOfSpace else { throw error }
        environment.handles.close(slot)
        try environment.fileSystem.removeFile(slot.path)
      }
      slot.path = path
    }
  }

  private func trimLeaderEpochs() {
    let before = leaderEpochs
    leaderEpochs.truncateFromStart(logStartOffset)
    if leaderEpochs != before { leaderEpochsChanged = true }
  }

  /// The files whose `file.delete.delay.ms` is over: the log has done with them, whoever is given their paths removes them.
  package func takeDeleted(now: Timestamp) -> [String] {
    let due = deletedSegments.filter { $0.removedFrom <= now }
    guard !due.isEmpty else { return [] }
    deletedSegments.removeAll { $0.removedFrom <= now }
    return due.flatMap(\.slots).map { slot in
      environment.handles.close(slot)
      return slot.path
    }
  }

  /// Removes the files whose `file.delete.delay.ms` is over. What cannot be removed is left to the next start. Returns how
  /// many segments went.
  @discardableResult
  package func removeDeleted(now: Timestamp) -> Int {
    let before = deletedSegments.count
    for path in takeDeleted(now: now) { try? environment.fileSystem.removeFile(path) }
    return before - deletedSegments.count
  }

  /// How many deleted segments still have their files.
  package var deletedSegmentCount: Int { deletedSegments.count }

  /// Renames a partition's folder to `<name>.<id>-delete`, so that its name is free at once. Returns the new path. Nothing
  /// is synced: the caller syncs the folder above, once for many, and removes what is in the renamed one.
  package static func markDeleted(
    _ directory: String, id: UUID, fileSystem: any FileSystem
  ) throws(IOError) -> String {
    let name = directory.lastIndex(of: "/").map { String(directory[directory.index(after: $0)...]) } ?? directory
    let suffix = "." + hex(id.high) + hex(id.low) + "-delete"
    // No file name is longer than 255 bytes.
    let target = parent(of: directory) + "/" + name.prefix(255 - suffix.utf8.count) + suffix
    try fileSystem.rename(directory, to: target)
    return target
  }

  /// The folder that holds `directory`.
  static func parent(of directory: String) -> String {
    directory.lastIndex(of: "/").map { String(directory[..<$0]) } ?? "."
  }

  private static func hex(_ value: UInt64) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 16 - digits.utf8.count) + digits
  }
}
