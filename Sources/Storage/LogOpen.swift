package import Effects
package import Primitives
internal import Records

extension Log {
  /// Opens the log in `directory`, making folder, first segment and `partition.metadata` where they are missing, and
  /// mends what the last stop left behind as far as `recovery` distrusts it. `logStartOffset` is what the owner's
  /// log-start-offset-checkpoint says, if it has one. One that no log can have, or that lies beyond the end of a log that
  /// was closed in order, is reported and not used. `firstDirtyOffset` is what its cleaner-offset-checkpoint says; one that
  /// is not in the log has everything looked at again.
  package static func open(
    directory: String, topicPartition: TopicPartition, topicID: UUID, config: LogConfig, environment: LogEnvironment,
    recovery: LogRecoveryMode, now: Timestamp, logStartOffset: Offset? = nil, firstDirtyOffset: Offset? = nil
  ) throws(IOError) -> Log {
    let checkpointed = logStartOffset
    let logStartOffset = checkpointed.flatMap { $0 >= .zero && $0 <= logStartOffsetMax ? $0 : nil }
    let fileSystem = environment.fileSystem
    if !fileSystem.isDirectory(directory) { try fileSystem.createDirectory(directory) }
    // Names that a killed process changed stay as they are seen now: nothing that went may come back behind new appends.
    if recovery != .clean, !recovery.isSynced { try fileSystem.syncDirectory(directory) }
    let swapped = try SwapRecovery(directory: directory, environment: environment).run(
      try fileSystem.list(directory))
    if swapped > 0 { environment.log?(.completedSwap(topicPartition, segmentCount: swapped)) }
    let names = try removeLeftovers(in: directory, environment)
    let isNew = try PartitionMetadata.ensure(in: directory, topicID: topicID, topicPartition, environment)
    let bases = names.compactMap { LogFileName.baseOffset(of: $0, suffix: LogFileName.log) }.sorted()
    let first = LogSegment(
      directory: directory, baseOffset: bases.first ?? logStartOffset ?? .zero, jitterMs: 0, now: now)
    let log = Log(
      directory: directory, topicPartition: topicPartition, topicID: topicID, config: config, environment: environment,
      segments: [], active: first)
    for base in bases {
      log.segments.append(
        LogSegment(directory: directory, baseOffset: base, jitterMs: log.jitterMs(at: base), now: now))
    }
    // Whoever was killed may not have synced what there is.
    log.isNew = isNew || recovery != .clean
    log.directoryChanged = log.isNew || swapped > 0
    if bases.isEmpty { log.segments = [try log.makeSegment(at: first.baseOffset, now: now)] }
    try log.recover(recovery, now: now)
    let start = try log.startAtLeast(logStartOffset, recovery, now: now)
    if let checkpointed, start == nil { log.reportIgnoredStart(checkpointed) }
    log.logStartOffset = max(log.segments[0].baseOffset, start ?? .zero)
    try log.loadAppendTimes(now: now, trustingUpTo: recovery.checkedFrom)
    try log.loadLeaderEpochs(names, recovery)
    try log.loadProducers(now: now, trustingUpTo: recovery.checkedFrom)
    let dirty = firstDirtyOffset.flatMap { $0 >= log.segments[0].baseOffset && $0 <= log.logEndOffset ? $0 : nil }
    log.firstDirtyOffset = dirty ?? log.segments[0].baseOffset
    for segment in log.segments { segment.uncheckedByteCount = segment.writtenByteCount }
    log.openedEndOffset = log.logEndOffset
    log.recoveryPoint = recovery == .clean ? log.logEndOffset : min(log.logEndOffset, recovery.checkedFrom ?? .zero)
    return log
  }

  /// Removes what renamed or unfinished files there are; returns the names that stay.
  private static func removeLeftovers(
    in directory: String, _ environment: LogEnvironment
  ) throws(IOError) -> [String] {
    var kept: [String] = []
    for name in try environment.fileSystem.list(directory) {
      if name.hasSuffix(LogFileName.deleted) || name.hasSuffix(".tmp") {
        try environment.fileSystem.removeFile(directory + "/" + name)
      } else {
        kept.append(name)
      }
    }
    return kept
  }

  /// Where a log can begin at most: room for four billion records is left behind.
  private static let logStartOffsetMax = Offset(.max - 1 << 32)

  /// The checkpoint says that the log begins at `offset`. Where it ends before that after an unclean stop, it starts anew
  /// there, for an offset is never given twice; what it held is kept under other names. After a clean stop the checkpoint
  /// is what is wrong. Returns the offset if it holds.
  private func startAtLeast(_ offset: Offset?, _ mode: LogRecoveryMode, now: Timestamp) throws(IOError) -> Offset? {
    guard let offset, offset > logEndOffset else { return offset }
    guard mode != .clean else { return nil }
    for segment in segments where segment.byteCount > 0 { try setAside(segment) }
    try replaceAllSegments(startingAt: offset, now: now)
    return offset
  }

  private func reportIgnoredStart(_ offset: Offset) {
    let path = Self.parent(of: directory) + "/" + OffsetCheckpoint.Name.logStartOffset.rawValue
    environment.log?(
      .ignoredDamagedFile(
        topicPartition, path: path, reason: "a log start of \(offset.value), the log ends at \(logEndOffset.value)"))
  }

  /// Takes a segment that is not empty out of the log without removing its bytes: `<base>.log.damaged`.
  func setAside(_ segment: LogSegment) throws(IOError) {
    environment.handles.close(segment.log)
    let path = unusedPath(segment.log.path + LogFileName.damaged)
    try environment.fileSystem.rename(segment.log.path, to: path)
    directoryChanged = true
    environment.log?(.keptDamagedBytes(topicPartition, path: path, byteCount: segment.byteCount))
  }

  /// Every segment goes, and an empty one begins at `offset`.
  func replaceAllSegments(startingAt offset: Offset, now: Timestamp) throws(IOError) {
    try removeSegments(from: 0)
    let segment = try makeSegment(at: offset, now: now)
    segments = [segment]
    active = segment
    recent.removeAll()
    logStartOffset = offset
    logEndOffset = offset
    writtenEndOffset = offset
    recoveryPoint = offset
  }

  /// Removes segments at the end of the log and their files, the last first and on the disk when it returns: whenever a
  /// machine stops, what is left has no hole and nothing comes back behind what is appended next.
  func removeSegments(from number: Int) throws(IOError) {
    recent.removeAll()
    for segment in segments[number...].reversed() {
      // Nobody reads there any more, also where the removal fails half way.
      writtenEndOffset = min(writtenEndOffset, segment.baseOffset)
      logEndOffset = writtenEndOffset
      try removeFiles(of: segment)
    }
    segments.removeSubrange(number...)
    sealedIndexes.removeAll { slot in !segments.dropLast().contains { $0.slots.contains { $0 === slot } } }
    // Segments are not what they were when the times were noted.
    try removeAppendTimes()
    try environment.fileSystem.syncDirectory(directory)
  }

  /// Removes a segment's files at once.
  func removeFiles(of segment: LogSegment) throws(IOError) {
    for slot in segment.slots {
      environment.handles.close(slot)
      if environment.fileSystem.exists(slot.path) { try environment.fileSystem.removeFile(slot.path) }
    }
    directoryChanged = true
  }
}
