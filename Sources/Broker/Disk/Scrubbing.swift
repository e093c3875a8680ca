internal import Configuration
internal import Effects
internal import Observability
internal import Primitives
internal import Replication
internal import Storage

/// Reading old segments again, one after the other and slowly, round after round: damage is found while there still is a
/// copy of what it took.
struct Scrubbing {
  /// When the next round begins: some minutes after the start of the broker, for it may be started anew each day, then
  /// `ottla.scrub.interval.hours` after the last one began.
  var nextRoundAt: Instant
  /// Partitions that this round has yet to look at, the next one last.
  var left: [HostedPartition] = []
  /// The segment of that one which was looked at last.
  var lastBaseOffset = Offset(-1)
  var isRunning = false
  var bytesRead: Int64 = 0
  var damageCount = 0
}

extension Shard {
  private static let lookMs: Int64 = 60_000
  static let firstRoundMs: Int64 = 600_000

  func scrubTimerFired() {
    timers.schedule(.scrub, at: now.advanced(byMilliseconds: Self.lookMs))
    let intervalMs = Int64(config.ottlaScrubIntervalHours) * 3_600_000
    guard intervalMs > 0, !scrubbing.isRunning, now >= scrubbing.nextRoundAt else { return }
    scrubbing = Scrubbing(nextRoundAt: now.advanced(byMilliseconds: intervalMs), left: hostedPartitions.reversed())
    scrubNext()
  }

  /// Reads the next segment of the round, if there is one.
  private func scrubNext() {
    guard !isStopping, config.ottlaScrubIntervalHours > 0, let (hosted, work) = nextScrub() else { return endRound() }
    scrubbing.isRunning = true
    let job = DiskJob.scrub(work, bytesPerSecondMax: Double(config.ottlaScrubBytesPerSecondMax))
    onDisk(hosted.folder, job) { [unowned self] result in
      guard case .scrubbed(let outcome) = result else { preconditionFailure("a scrub came back as \(result)") }
      scrubbing.bytesRead += work.byteCount
      take(outcome, of: work, hosted)
      scrubNext()
    }
  }

  private func nextScrub() -> (HostedPartition, ScrubWork)? {
    while let hosted = scrubbing.left.last {
      if !hosted.isGone, isWorking(hosted.folder),
        let next = hosted.partition.log.scrubWork(after: scrubbing.lastBaseOffset)
      {
        scrubbing.lastBaseOffset = next.baseOffset
        return (hosted, next.work)
      }
      scrubbing.left.removeLast()
      scrubbing.lastBaseOffset = Offset(-1)
    }
    return nil
  }

  /// A read found what cannot be a batch, where no damage is known: its segment is read again now, unless it is the active
  /// one.
  func noteCorruptRead(_ hosted: HostedPartition, at offset: Offset) {
    guard !isStopping, !hosted.isSuspect, let work = hosted.partition.log.scrubWork(holding: offset) else { return }
    hosted.isSuspect = true
    let job = DiskJob.scrub(work, bytesPerSecondMax: Double(config.ottlaScrubBytesPerSecondMax))
    onDisk(hosted.folder, job) { [unowned self] result in
      guard case .scrubbed(let outcome) = result else { preconditionFailure("a scrub came back as \(result)") }
      hosted.isSuspect = false
      take(outcome, of: work, hosted)
    }
  }

  private func take(_ outcome: ScrubOutcome, of work: ScrubWork, _ hosted: HostedPartition) {
    guard !hosted.isGone else { return }
    switch outcome {
    case .sound: hosted.partition.log.noteSound(work)
    case .stopped: break
    case .damaged:
      scrubbing.damageCount += 1
      do throws(LogError) {
        try hosted.partition.log.finishScrub(work, outcome)
        noteDamaged(hosted)
      } catch {
        environment.logger.error("\(hosted.partition.topicPartition): looking behind damage failed: \(error)")
        noteFailure(error, of: hosted)
      }
    case .failed(let error):
      // Retention, or a cleaning, may have taken the file meanwhile.
      if error.isMissing { return }
      environment.logger.error("\(hosted.partition.topicPartition): reading an old segment failed: \(error)")
      if error.isOfTheDevice { failFolder(hosted.folder, error) }
    }
  }

  private func endRound() {
    guard scrubbing.isRunning else { return }
    scrubbing.isRunning = false
    scrubbing.left = []
    environment.logger.info(
      "shard \(index) has read \(scrubbing.bytesRead >> 20) MiB of old segments again: \(scrubbing.damageCount) are damaged"
    )
  }
}
