package import Effects
package import Primitives

/// The files that hold a log's unflushed batches. May be carried to a disk thread, synced there with `run`, and brought
/// back to `Log.finishFlush`.
package struct FlushWork: Sendable {
  package let files: [any File]
  /// Folders in which names changed, the innermost first.
  package let directories: [String]
  /// What the log may call flushed once `run` came back without an error.
  package let endOffset: Offset
  /// Bytes of batches that it brings to the disk.
  package let byteCount: Int64
  /// What `Log.writtenBytes` was when the work was begun.
  let writtenBytes: Int64
  let cutCount: Int
  /// Whether there was more to bring to the disk than one work may hold open.
  package let leavesMore: Bool

  /// Syncs the files, and the folders where names changed. Never to be tried again after it failed.
  package func run(_ fileSystem: any FileSystem) throws(IOError) {
    for file in files { try file.sync() }
    for directory in directories { try Self.syncNames(in: directory, fileSystem) }
  }

  /// Brings the names in a folder to the disk. One that is not there any more has none: its topic was deleted, and the
  /// folder renamed, after the flush had begun.
  package static func syncNames(in directory: String, _ fileSystem: any FileSystem) throws(IOError) {
    do throws(IOError) { try fileSystem.syncDirectory(directory) } catch { if !error.isMissing { throw error } }
  }
}

extension Log {
  /// Writes what is pending and says what has to be synced; nil when everything is flushed. Where a file cannot be opened
  /// it fails with `.io`, and may be tried again; a failed write of batches fences the log.
  ///
  /// - Parameter filesMax: how many files the work may hold open, at least one (beside the two small ones that a log has once).
  ///   A log with more of them to sync is brought to the disk piece by piece: the work says that it `leavesMore`.
  package func beginFlush(filesMax: Int = .max) throws(LogError) -> FlushWork? {
    precondition(filesMax > 0, "a flush of \(filesMax) files")
    try writePending()
    guard
      recoveryPoint < writtenEndOffset || directoryChanged || leaderEpochsUnsynced || leaderEpochsChanged
        || !sealedIndexes.isEmpty
    else { return nil }
    return try onFile { () throws(IOError) in
      try writeOrDropLeaderEpochs()
      var files = try smallFilesToSync()
      let indexes = sealedIndexes.prefix(filesMax)
      for slot in indexes { files.append(try environment.handles.file(slot)) }
      // The next start believes the indexes of what lies below the recovery point: they come first.
      let flushedEnd = max(recoveryPoint, heldRecoveryPoint)
      let written = segments[segmentNumber(of: flushedEnd)...].filter { $0.writtenByteCount > 0 }
      let taken = written.prefix(filesMax - indexes.count)
      for segment in taken { files.append(try environment.handles.file(segment.log)) }
      let left = written[taken.endIndex...]
      let bytesLeft = left.reduce(0) { $0 + $1.writtenByteCount }
      let work = FlushWork(
        files: files, directories: directoriesToSync,
        endOffset: left.first.map { max(flushedEnd, $0.baseOffset) } ?? writtenEndOffset,
        byteCount: max(0, unflushedBytes - bytesLeft), writtenBytes: writtenBytes - bytesLeft, cutCount: cutCount,
        leavesMore: !left.isEmpty || indexes.count < sealedIndexes.count)
      sealedIndexes.removeFirst(indexes.count)
      directoryChanged = false
      isNew = false
      leaderEpochsUnsynced = false
      return work
    }
  }

  private func smallFilesToSync() throws(IOError) -> [any File] {
    var files: [any File] = []
    if isNew { files.append(try environment.fileSystem.open(path(LogFileName.partitionMetadata), .readWrite)) }
    if leaderEpochsUnsynced {
      files.append(try environment.fileSystem.open(path(LogFileName.leaderEpochs), .readWrite))
    }
    return files
  }

  private var directoriesToSync: [String] {
    if isNew { return [directory, Self.parent(of: directory)] }
    return directoryChanged ? [directory] : []
  }

  /// Takes note of how `FlushWork.run` went: nil for well, else the log is fenced. Not so where only a folder could not
  /// be opened for its sync: the files were synced before, and the next flush syncs them and the folder again.
  package func finishFlush(_ work: FlushWork, failure: IOError?) {
    if let failure, failure.isOutOfDescriptors {
      directoryChanged = directoryChanged || !work.directories.isEmpty
      isNew = isNew || work.directories.count > 1
    } else if let failure {
      _ = fence(.io(failure))
    } else if !isFenced {
      flushedBytes = max(flushedBytes, work.writtenBytes)
      if work.cutCount == cutCount { noteFlushed(to: work.endOffset) }
    }
  }

  /// A sync of the whole file system, begun after the log was opened, went well.
  package func noteSyncedSinceOpen() {
    guard !isFenced, cutCount == 0, !areOpenedTermsUnwritten else { return }
    recoveryPoint = max(recoveryPoint, openedEndOffset)
  }

  /// Brings everything appended to the disk.
  package func flush() throws(LogError) {
    while let work = try beginFlush(filesMax: environment.handles.openFilesMax) {
      do throws(IOError) {
        try work.run(environment.fileSystem)
      } catch {
        finishFlush(work, failure: error)
        throw .io(error)
      }
      finishFlush(work, failure: nil)
      // After a cut that is not noted yet the recovery point stays where it is: there would be more for ever.
      if !work.leavesMore { return }
    }
  }

  /// Flushes, writes indexes, producers and epochs, gives back preallocated blocks and lets go of the files; where nothing
  /// changed since the log was opened it only lets go. The log is not to be used any more. A fenced log only lets go, and
  /// throws `.fenced`: its owner must not call the stop clean.
  ///
  /// - Parameter syncing: false where the owner brings the whole file system to the disk once, after the last of many logs.
  ///   `recoveryPoint` counts on that.
  package func close(syncing: Bool = true) throws(LogError) {
    defer { releaseFiles() }
    if isFenced { throw .fenced }
    try writePending()
    do throws(IOError) {
      if isChanged { try writeHints() }
      // A term in which nothing was written yet begins anew at the next start.
      if isChanged || leaderEpochs.entries.last?.startOffset != logEndOffset { try writeLeaderEpochs() }
    } catch { throw fence(.io(error)) }
    if syncing { try flush() } else { recoveryPoint = writtenEndOffset }
    _ = removeDeleted(now: Timestamp(milliseconds: .max))
    isFenced = true
  }

  /// What spares the next start from reading the log.
  private func writeHints() throws(IOError) {
    for segment in segments where segment === active || segment.indexWriteFailure != nil {
      segment.seal(environment)
      if let failure = segment.indexWriteFailure { throw failure }
    }
    // The next start believes them.
    sealedIndexes += [active.offsetIndex.slot, active.timeIndex.slot]
    try writeProducerSnapshot()
    try removeSnapshots { $0 != logEndOffset && segmentBaseIsUnknown($0) }
    try writeAppendTimes()
  }

  /// Lets go of a log that is about to be deleted: nothing is written or synced, what waited for its write is lost, and
  /// the log is fenced. Its folder may then be renamed with `markDeleted`.
  package func abandon() {
    dropPending()
    logEndOffset = writtenEndOffset
    active.byteCount = active.writtenByteCount
    isFenced = true
    releaseFiles()
  }

  func segmentBaseIsUnknown(_ offset: Offset) -> Bool { !segments.contains { $0.baseOffset == offset } }

  /// Removes the producer snapshots that `isRemoved` picks by their offsets.
  func removeSnapshots(where isRemoved: (Offset) -> Bool) throws(IOError) {
    for offset in try snapshotOffsets() where isRemoved(offset) {
      try environment.fileSystem.removeFile(path(LogFileName.name(offset, LogFileName.producerSnapshot)))
    }
  }

  /// Lets go of every file handle.
  func releaseFiles() {
    for segment in segments { segment.slots.forEach(environment.handles.close) }
    for deleted in deletedSegments { deleted.slots.forEach(environment.handles.close) }
  }
}
