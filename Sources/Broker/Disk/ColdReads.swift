internal import Effects
internal import Observability
internal import Primitives
internal import Replication
internal import Storage

/// Reading what is not in memory: never on the shard's thread, and checked on the way, for bytes that have rested on a
/// disk may not be what they were.
extension Shard {
  /// Lets the disk's threads read `slice`, where it is not in memory, and finishes the task when they have. Returns whether
  /// it has to be waited for.
  func fromDisk(
    _ slice: LogSlice, _ outcome: PartitionTask.ReadOutcome, _ task: PartitionTask.ReadTask, _ hosted: HostedPartition,
    _ waits: (RequestToken, Int)
  ) -> Bool {
    let read: ColdRead
    do throws(LogError) {
      guard let work = try hosted.partition.log.coldRead(of: slice, bytesMax: task.coldBytesMax) else { return false }
      read = work
    } catch { return false }
    onDisk(hosted.folder, .read(read)) { [unowned self] result in
      var outcome = outcome
      outcome.range = read.range
      take(result, of: read, hosted, &outcome)
      finishTask(waits.0, waits.1, .read(outcome))
    }
    return true
  }

  private func take(
    _ result: DiskResult, of read: ColdRead, _ hosted: HostedPartition, _ outcome: inout PartitionTask.ReadOutcome
  ) {
    switch result {
    case .checked(nil): break
    case .checked(.some(let damage)): serve(outOf: read, upTo: damage, hosted, &outcome)
    case .failed(let error):
      environment.logger.error("\(hosted.partition.topicPartition): reading failed: \(error)")
      outcome = PartitionTask.ReadOutcome(error: .kafkaStorageError)
      if error.isOfTheDevice, !hosted.isGone { failFolder(hosted.folder, error) }
    case .done, .space, .cleaned, .scrubbed, .repaired: preconditionFailure("a cold read came back as \(result)")
    }
  }

  /// What comes before damage is served; where nothing does, the reader is told.
  private func serve(
    outOf read: ColdRead, upTo damage: ColdRead.Damage, _ hosted: HostedPartition,
    _ outcome: inout PartitionTask.ReadOutcome
  ) {
    do throws(LogError) {
      if !hosted.isGone { try hosted.partition.log.noteDamage(damage, foundBy: read) }
      noteDamaged(hosted)
    } catch { environment.logger.error("\(hosted.partition.topicPartition): looking behind damage failed: \(error)") }
    let sound = Int(damage.position - read.range.position)
    if sound > 0 {
      outcome.range = FileRange(file: read.range.file, position: read.range.position, byteCount: sound)
    } else {
      outcome = PartitionTask.ReadOutcome(error: .corruptMessage)
    }
  }
}
