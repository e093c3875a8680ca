internal import Configuration
internal import Effects
internal import Observability
internal import Primitives
internal import Replication
internal import Storage

/// Bringing logs to the disk: group commit.
///
/// A log is flushed when somebody waits for what is in its file: a producer with acks=all, a group, a reader at the end.
/// Whatever is written while a flush runs is part of the next one, which begins when that one ends: there is no timer, and
/// the slower the disk, the more a flush carries. Beside that a clock bounds what nobody waits for. Where no flush can begin,
/// those who wait get an error: what they sent is in the file, and may be safe later, or not.

/// What a log's flush is doing.
enum FlushState {
  /// Can become: wanted.
  case idle
  /// It starts at the end of this turn. Can become: running.
  case wanted
  /// Can become: idle, or runningAndWanted when somebody waits for what was written since.
  case running
  /// Can become: wanted.
  case runningAndWanted
}

extension Shard {
  /// Somebody waits for what is in the file of a log.
  func wantFlush(_ hosted: HostedPartition) {
    switch hosted.flush {
    case .idle:
      hosted.flush = .wanted
      logsToFlush.append(hosted)
    case .running: hosted.flush = .runningAndWanted
    case .wanted, .runningAndWanted: break
    }
  }

  /// Begins the flushes that are wanted, one job for each data folder. A file that is being flushed stays open whatever the
  /// cache of open files does: what does not fit under `filesBeingFlushedMax` waits for the end of a flush that runs.
  func startFlushes() {
    guard !logsToFlush.isEmpty, filesBeingFlushed < filesBeingFlushedMax else { return }
    let wanted = logsToFlush
    logsToFlush.removeAll(keepingCapacity: true)
    var flushes: [[Flush]] = Array(repeating: [], count: folders.count)
    for (number, hosted) in wanted.enumerated() where hosted.flush == .wanted {
      guard filesBeingFlushed < filesBeingFlushedMax else {
        logsToFlush = Array(wanted[number...])
        break
      }
      hosted.flush = .idle
      guard let work = beginFlush(hosted, filesMax: filesBeingFlushedMax - filesBeingFlushed) else { continue }
      hosted.flush = .running
      filesBeingFlushed += work.files.count
      flushes[hosted.folder].append(Flush(hosted: hosted, work: work, unflushedAfter: now))
    }
    for (folder, flushes) in flushes.enumerated() where !flushes.isEmpty {
      onDisk(folder, .flush(flushes.map(\.work))) { [unowned self] result in finish(flushes, result, folder) }
    }
  }

  struct Flush {
    let hosted: HostedPartition
    let work: FlushWork
    /// What the flush does not bring to the disk was written at this time or later.
    let unflushedAfter: Instant
  }

  private func beginFlush(_ hosted: HostedPartition, filesMax: Int) -> FlushWork? {
    guard !hosted.isGone, !hosted.partition.log.isFenced else { return nil }
    do throws(LogError) {
      guard let work = try hosted.partition.log.beginFlush(filesMax: filesMax) else {
        hosted.flushHeldSince = nil
        noteSafe(hosted)
        return nil
      }
      return work
    } catch {
      noteFailure(error, of: hosted)
      if case .io(let cause) = error, !hosted.partition.log.isFenced { noteHeld(hosted, by: cause) }
      return nil
    }
  }

  /// What is to be flushed is in the file, and no flush comes about: a file cannot be opened for it. Nothing is lost, and the
  /// clock tries again; but whoever waits is not to do so as long as that lasts. Descriptors come back in a moment, mostly.
  private func noteHeld(_ hosted: HostedPartition, by cause: IOError) {
    let since = hosted.flushHeldSince ?? now
    hosted.flushHeldSince = since
    noteUnflushed(hosted)
    guard !cause.isOutOfDescriptors || now.milliseconds(since: since) >= Self.flushHoldMsMax else { return }
    failWaits(hosted, Self.unwritten)
  }

  /// So long a flush may be held up for want of descriptors before those who wait learn of it.
  private static let flushHoldMsMax: Int64 = 5000

  private func finish(_ flushes: [Flush], _ result: DiskResult, _ folder: Int) {
    var failure: IOError?
    if case .failed(let error) = result { failure = error }
    #if DEBUG
      if environment.mutation == .retriedFsync { failure = nil }
    #endif
    for flush in flushes {
      filesBeingFlushed -= flush.work.files.count
      let hosted = flush.hosted
      let isWantedAgain = hosted.flush == .runningAndWanted || flush.work.leavesMore
      hosted.flush = .idle
      guard !hosted.isGone else { continue }
      hosted.partition.log.finishFlush(flush.work, failure: failure)
      hosted.unflushedSince = hosted.partition.log.isUnflushed ? flush.unflushedAfter : nil
      guard failure == nil else { continue }
      hosted.flushHeldSince = nil
      bytesFlushedSinceCheckpoint += flush.work.byteCount
      noteFirstRecoveryPoint(hosted)
      noteSafe(hosted)
      if isWantedAgain { wantFlush(hosted) }
    }
    if let failure { return flushFailed(failure, flushes, folder) }
    if bytesFlushedSinceCheckpoint > Self.checkpointBytesMax { tellRecoveryPoints() }
  }

  /// After so many flushed bytes the recovery points are written down: a start after a crash has no more to check.
  private static let checkpointBytesMax: Int64 = 128 << 20

  private func flushFailed(_ failure: IOError, _ flushes: [Flush], _ folder: Int) {
    guard failure.isOutOfDescriptors else { return failFolder(folder, failure) }
    // Nothing was lost: no file could be opened for a folder's sync. The clock tries again.
    environment.logger.warning("a flush has to wait for file descriptors: \(failure)")
    for flush in flushes where !flush.hosted.isGone { noteHeld(flush.hosted, by: failure) }
  }

  /// What is safe in a log may have become more: releases those who waited for that, and shows it to readers.
  func noteSafe(_ hosted: HostedPartition) {
    guard hosted.partition.advanceHighWatermark() else { return }
    releaseWaits(hosted)
    wakeWatchers(hosted)
  }

  /// Answers those who waited for the high watermark, as far as it has come.
  func releaseWaits(_ hosted: HostedPartition) {
    guard !hosted.waits.isEmpty else { return }
    let safe = hosted.partition.highWatermark.value
    let waits = hosted.waits
    hosted.waits = waits.filter { $0.baseOffset >= safe }
    for wait in waits where wait.baseOffset < safe { settle(wait, .safe) }
  }

  /// Nothing of a log will be safe any more: whoever waited for it learns so.
  func failWaits(_ hosted: HostedPartition, _ error: KafkaError) { endWaits(hosted, .failed(error)) }

  func endWaits(_ hosted: HostedPartition, _ end: AppendWait.End) {
    let waits = hosted.waits
    hosted.waits.removeAll()
    for wait in waits { settle(wait, end) }
  }

  // MARK: what nobody waits for

  /// A log has got bytes that are not on the disk: from now on the clock looks after them.
  func noteUnflushed(_ hosted: HostedPartition) {
    if hosted.unflushedSince == nil { hosted.unflushedSince = now }
    guard !hosted.isInUnflushed else { return }
    hosted.isInUnflushed = true
    unflushedLogs.append(hosted)
    guard unflushedLogs.count == 1 else { return }
    timers.schedule(.flush, at: now.advanced(byMilliseconds: Self.flushCheckIntervalMs))
  }

  private static let flushCheckIntervalMs: Int64 = 250

  /// Flushes what is old, and everything of a data folder where too much waits.
  func flushTimerFired() {
    var bytes = [Int64](repeating: 0, count: folders.count)
    let logs = unflushedLogs
    unflushedLogs.removeAll(keepingCapacity: true)
    for hosted in logs {
      guard !hosted.isGone, hosted.partition.log.isUnflushed, !hosted.partition.log.isFenced else {
        hosted.isInUnflushed = false
        continue
      }
      unflushedLogs.append(hosted)
      bytes[hosted.folder] += hosted.partition.log.unflushedBytes
    }
    // Half of the limit, for a flush takes its time too; and each shard has its part.
    let bytesMax = config.ottlaFlushBytesMax / Int64(2 * count)
    for hosted in unflushedLogs where bytes[hosted.folder] > bytesMax || isOld(hosted) { wantFlush(hosted) }
    guard !unflushedLogs.isEmpty else { return }
    timers.schedule(.flush, at: now.advanced(byMilliseconds: Self.flushCheckIntervalMs))
  }

  private func isOld(_ hosted: HostedPartition) -> Bool {
    guard let since = hosted.unflushedSince else { return false }
    let ageMax = min(Int64(config.ottlaFlushMsMax), hosted.partition.config.flushMs)
    return now.milliseconds(since: since) >= ageMax || !hosted.waits.isEmpty
  }
}
