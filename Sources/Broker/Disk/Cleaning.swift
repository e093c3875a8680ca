internal import Configuration
internal import Effects
internal import Observability
internal import Primitives
internal import Replication
internal import Storage

/// Compaction: which log is cleaned next, and what becomes of it. A shard has one log cleaned at a time, those that are
/// overdue first, then the dirtiest; how many are cleaned at once in all is the disk threads' business.
///
/// A log's cleaning works on paths. So until one has been brought back, no other topic may get the names of its folder:
/// a deletion counts as spread only when the cleaning it met has ended.
struct Cleaning {
  let hosted: HostedPartition
  /// nil once the cleaning is done and the swap is under way.
  var token: DiskToken?
  let startedAt: Instant
}

extension Shard {
  func cleanTimerFired() {
    timers.schedule(.clean, at: now.advanced(byMilliseconds: max(100, config.logCleanerBackoffMs)))
    cleanNext()
  }

  /// Begins with the log that needs it most, if one is due and none is being cleaned.
  func cleanNext() {
    guard config.logCleanerEnable, config.logCleanerThreads > 0, cleaning == nil, !isStopping, let hosted = mostInNeed
    else { return }
    let partition = hosted.partition
    if let sync = partition.log.pendingSwap {
      cleaning = Cleaning(hosted: hosted, token: nil, startedAt: now)
      return swap(sync, hosted)
    }
    guard
      let work = partition.log.beginCleaning(
        now: wallClock, upTo: partition.highWatermark, limits: CleaningLimits(config), random: environment.random)
    else { return }
    let job = DiskJob.clean(
      work, bytesPerSecondMax: config.logCleanerIoMaxBytesPerSecond, threadCount: Int(config.logCleanerThreads))
    let token = onDisk(hosted.folder, job) { [unowned self] result in
      guard case .cleaned(let outcome) = result else { preconditionFailure("a cleaning came back as \(result)") }
      cleaned(hosted, work, outcome)
    }
    cleaning = Cleaning(hosted: hosted, token: token, startedAt: now)
  }

  private var mostInNeed: HostedPartition? {
    var best: (hosted: HostedPartition, candidate: CleaningCandidate)?
    for hosted in hostedPartitions where isWorking(hosted.folder) && hosted.mayBeCleanedFrom <= now {
      let partition = hosted.partition
      if partition.log.pendingSwap != nil { return hosted }
      guard let candidate = partition.log.cleaningCandidate(now: wallClock, upTo: partition.highWatermark),
        candidate.isDue
      else { continue }
      let isMore =
        best.map { ($0.candidate.isOverdue ? 1 : 0, $0.candidate.dirtyRatio) }
        .map { $0 < (candidate.isOverdue ? 1 : 0, candidate.dirtyRatio) } ?? true
      if isMore { best = (hosted, candidate) }
    }
    return best?.hosted
  }

  private func cleaned(_ hosted: HostedPartition, _ work: CleaningWork, _ outcome: CleaningOutcome) {
    cleaning?.token = nil
    guard !hosted.isGone else { return cleaningEnded(hosted) }
    let result: CleaningResult
    do throws(LogError) {
      result = try hosted.partition.log.finishCleaning(work, outcome, now: wallClock)
    } catch {
      noteFailure(error, of: hosted)
      hosted.mayBeCleanedFrom = now.advanced(byMilliseconds: Self.pauseMs)
      return cleaningEnded(hosted)
    }
    report(result, outcome.statistics, hosted)
    switch result {
    case .swapping(let sync): return swap(sync, hosted)
    case .unchanged: tellFirstDirtyOffset(hosted)
    case .discarded:
      // What it wrote goes first: its names are those of the next cleaning, and of another topic's after a deletion.
      onDisk(hosted.folder, .discard(work, outcome)) { [unowned self] _ in cleaningEnded(hosted) }
      return
    case .stopped: break
    case .damaged: noteDamaged(hosted)
    case .failed(let error):
      hosted.mayBeCleanedFrom = now.advanced(byMilliseconds: Self.pauseMs)
      if error.isOfTheDevice { failFolder(hosted.folder, error) }
    case .gaveUp: hosted.mayBeCleanedFrom = now.advanced(byMilliseconds: Self.longPauseMs)
    }
    cleaningEnded(hosted)
  }

  /// How long a log is left alone after a cleaning that failed, and after one that would fail again.
  private static let pauseMs: Int64 = 60_000
  private static let longPauseMs: Int64 = 3_600_000

  /// Brings a step of the swap to the disk, and does the next one, until the new segments have their names.
  private func swap(_ sync: SwapSync, _ hosted: HostedPartition) {
    onDisk(hosted.folder, .swap(sync)) { [unowned self] result in
      guard !hosted.isGone else { return cleaningEnded(hosted) }
      var failure: IOError?
      if case .failed(let error) = result { failure = error }
      do throws(LogError) {
        let next = try hosted.partition.log.finishSwap(sync, failure: failure, now: wallClock)
        if let next { return swap(next, hosted) }
        tellFirstDirtyOffset(hosted)
        scheduleDeletedFiles(afterMs: 1000)
      } catch {
        noteFailure(error, of: hosted)
        hosted.mayBeCleanedFrom = now.advanced(byMilliseconds: Self.pauseMs)
      }
      cleaningEnded(hosted)
    }
  }

  private func report(_ result: CleaningResult, _ statistics: CleaningStatistics, _ hosted: HostedPartition) {
    let name = hosted.partition.topicPartition
    switch result {
    case .swapping:
      let took = cleaning.map { now.milliseconds(since: $0.startedAt) } ?? 0
      let extent = statistics.isMapFull ? "; more than log.cleaner.dedupe.buffer.size has room for is left" : ""
      environment.logger.info(
        "\(name): cleaned, read \(statistics.bytesRead >> 10) KiB, wrote \(statistics.bytesWritten >> 10) KiB, \(statistics.keyCount) keys, \(took) ms\(extent)"
      )
    case .unchanged, .discarded, .stopped, .damaged: break
    case .failed(let error): environment.logger.warning("\(name): cleaning failed, it is tried again later: \(error)")
    case .gaveUp(let reason): environment.logger.error("\(name): cannot be cleaned: \(reason)")
    }
  }

  private func cleaningEnded(_ hosted: HostedPartition) {
    cleaning = nil
    let holds = deletionHolds
    deletionHolds.removeAll()
    for release in holds { release() }
    cleanNext()
  }

  // MARK: deletions

  /// A partition is gone: its cleaning is to end.
  func cancelCleaning(of hosted: HostedPartition) {
    guard let cleaning, cleaning.hosted === hosted, let token = cleaning.token else { return }
    environment.disk.cancel(token, directory: hosted.folder)
  }

  /// Calls `then` when no cleaning works in the folder of a partition that is gone: now, or when it has ended.
  func whenNoGoneLogIsCleaned(_ then: @escaping () -> Void) {
    guard let cleaning, cleaning.hosted.isGone else { return then() }
    deletionHolds.append(then)
  }
}
