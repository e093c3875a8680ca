internal import Cluster
internal import Configuration
internal import Effects
internal import Observability
internal import Primitives
internal import Replication
internal import Storage

/// The checkpoint files of the data folders, kept by one shard and written on the disk's threads.
///
/// Recovery points are hints: one that is older than the truth costs a longer start, never a record. Where a log begins is
/// more than that when records were deleted by request: that request waits. While a file is being written changes gather for
/// the next writing.

/// What a checkpoint file says of one partition.
package struct CheckpointEntry: Sendable {
  let topicID: UUID
  let partition: TopicPartition
  /// The folder that holds the partition, by its place in log.dirs.
  let folder: Int
  let offset: Offset

  init(_ hosted: HostedPartition, _ offset: Offset) {
    topicID = hosted.partition.topicID
    partition = hosted.partition.topicPartition
    folder = hosted.folder
    self.offset = offset
  }
}

extension Shard {
  // MARK: hints

  /// A log is clean up to another offset than before.
  func tellFirstDirtyOffset(_ hosted: HostedPartition) {
    tell(.cleanerOffset, [CheckpointEntry(hosted, hosted.partition.log.firstDirtyOffset)])
  }

  func tell(_ name: OffsetCheckpoint.Name, _ entries: [CheckpointEntry]) {
    if index == Self.controllerShard {
      takeCheckpoints(name, entries)
    } else {
      environment.links.send(.checkpoints(name, entries), to: Self.controllerShard)
    }
  }

  func takeCheckpoints(_ name: OffsetCheckpoint.Name, _ entries: [CheckpointEntry]) {
    for entry in entries where image.topic(id: entry.topicID) != nil {
      checkpoints[entry.folder][name, entry.partition] = entry.offset
    }
    writeCheckpoint(name)
  }

  // MARK: what must be written down first

  /// A log's start has moved: the shard that keeps the files is told. `then` learns whether it has been written down.
  func keepLogStart(_ hosted: HostedPartition, then: @escaping (Bool) -> Void) {
    scheduleDeletedFiles(afterMs: min(10_000, hosted.partition.config.fileDeleteDelayMs))
    keep(.logStartOffset, CheckpointEntry(hosted, hosted.partition.log.logStartOffset), then: then)
  }

  /// Has an offset written down; `then` learns whether that was done.
  func keep(_ name: OffsetCheckpoint.Name, _ entry: CheckpointEntry, then: @escaping (Bool) -> Void) {
    guard index != Self.controllerShard else { return keepHere(name, entry, then: then) }
    let token = makeToken()
    keepWaits[token] = then
    environment.links.send(.keep(from: index, token, name, entry), to: Self.controllerShard)
  }

  /// Writes an offset down, unless its topic is gone: another may have its name now.
  func keepHere(_ name: OffsetCheckpoint.Name, _ entry: CheckpointEntry, then: @escaping (Bool) -> Void) {
    guard image.topic(id: entry.topicID) != nil else { return then(true) }
    checkpoints[entry.folder][name, entry.partition] = entry.offset
    // A folder that has failed is passed over when the files are written.
    writeCheckpoint(name) { [unowned self] isKept in then(isKept && isWorking(entry.folder)) }
  }

  /// Topics are gone: where their logs began, and what of them was on the disk, is nothing to those that will have their
  /// names. Until the files have forgotten it too, the controller makes no topic: after a crash the new one would lose the
  /// records that the old one had deleted.
  func forgetCheckpoints(ofTopics topics: [String]) {
    guard !topics.isEmpty else { return }
    let gone = Set(topics)
    let changed = OffsetCheckpoint.Name.allCases.filter { name in
      var isChanged = forgetting.isPending(name)
      for folder in checkpoints.indices { isChanged = checkpoints[folder].forget(gone, in: name) || isChanged }
      return isChanged
    }
    forgetting.begin(Set(changed), image: heldLogs.image)
    for name in changed { forgetInFile(name) }
  }

  /// Writes all files without what was forgotten before any log was opened: see `setStraysAside`.
  func forgetInFiles(image: UInt64) {
    forgetting.begin(Set(OffsetCheckpoint.Name.allCases), image: image)
    for name in OffsetCheckpoint.Name.allCases { forgetInFile(name) }
  }

  /// Writes a checkpoint file without what was forgotten; until then the controller makes no topic. Where there is no room
  /// for that, topics cannot be made: that is told at once, and other commands go on, for they may make room.
  func forgetInFile(_ name: OffsetCheckpoint.Name) {
    controllerHost?.forgettingCount += 1
    writeCheckpoint(name) { [unowned self] isKept in
      if isKept { controllerHost?.unforgotten.remove(name) } else { controllerHost?.unforgotten.insert(name) }
      forgotten()
    }
  }

  func forgotten() {
    guard let host = controllerHost else { return }
    host.forgettingCount -= 1
    runDelayedCommands(host)
  }

  // MARK: writing

  /// Calls `then` when the files say what they are to say now.
  func whenCheckpointsAreWritten(_ then: @escaping () -> Void) {
    guard isWritingCheckpoint else { return then() }
    writeCheckpoint(.recoveryPoint) { _ in then() }
  }

  /// Writes a checkpoint file of every folder of log.dirs, now or when the writing that is under way has ended.
  func writeCheckpoint(_ name: OffsetCheckpoint.Name, then: ((Bool) -> Void)? = nil) {
    staleCheckpoints.insert(name)
    if let then { checkpointWaits[name, default: []].append(then) }
    writeStaleCheckpoint()
  }

  private func writeStaleCheckpoint() {
    guard !isWritingCheckpoint,
      let name = OffsetCheckpoint.Name.allCases.first(where: staleCheckpoints.contains)
    else { return }
    staleCheckpoints.remove(name)
    isWritingCheckpoint = true
    let waits = checkpointWaits.removeValue(forKey: name) ?? []
    let pieceCount = forgetting.pieceCount
    write(name) { [unowned self] isKept in
      isWritingCheckpoint = false
      if isKept {
        // Before the controller goes on: what it decides next finds the names free here.
        forgetting.wrote(name, covering: pieceCount)
        tellFreeNames()
      }
      for wait in waits { wait(isKept) }
      writeStaleCheckpoint()
    }
  }

  /// Writes one kind of checkpoint file into every folder that has not failed; `then` learns whether all could be written.
  private func write(_ name: OffsetCheckpoint.Name, then: @escaping (Bool) -> Void) {
    let working = folders.indices.filter { isWorking($0) }
    guard !working.isEmpty else { return then(false) }
    // A file that is not there says nothing. One with some lines would say of all other logs that they were never flushed.
    let written = working.filter { name != .recoveryPoint || checkpoints[$0].tellsAllRecoveryPoints }
    guard !written.isEmpty else { return then(true) }
    var missing = written.count
    var isKept = true
    for folder in written {
      let job = DiskJob.checkpoint(name, logDirectory: config.logDirs[folder], checkpoints[folder][name])
      onDisk(folder, job) { [unowned self] result in
        if case .failed(let error) = result {
          environment.logger.error("writing \(name.rawValue) of \(config.logDirs[folder]) failed: \(error)")
          isKept = false
          if error.isOfTheDevice { failFolder(folder, error) }
        }
        missing -= 1
        guard missing == 0 else { return }
        // What could not be written, for want of room or of descriptors, is tried again with the next look at the disk.
        if !isKept { unwrittenCheckpoints.insert(name) }
        then(isKept)
      }
    }
  }

  /// Files that could not be written get another chance.
  func retryCheckpoints() {
    let names = unwrittenCheckpoints
    unwrittenCheckpoints.removeAll()
    for name in OffsetCheckpoint.Name.allCases where names.contains(name) {
      if controllerHost?.unforgotten.contains(name) == true { forgetInFile(name) } else { writeCheckpoint(name) }
    }
  }
}
