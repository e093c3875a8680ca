package import Cluster
package import Effects
package import Primitives

/// The coordination service of a single node: the metadata log is a file of its own, and this broker is always the
/// controller.
///
/// An append is written and synced before `append` returns; its events come with the next `poll`. When the log has grown
/// past a threshold, a snapshot takes its place.
package final class LocalCoordination: CoordinationService {
  /// Bytes of log after which a snapshot is written.
  package static let snapshotThresholdBytesDefault: Int64 = 8 << 20

  /// What was found at the start.
  package let recovery: LocalRecovery
  /// Why the last snapshot was not written; the log grows on then. nil when all went well.
  package private(set) var snapshotFailure: IOError?

  private let files: MetadataFiles
  private let log: any File
  private let snapshotThresholdBytes: Int64
  /// Everything in the log: what a snapshot is made of.
  package private(set) var image = ClusterImage()
  private var logByteCount: Int64
  private var snapshotDueAtBytes: Int64
  private var events: [CoordinationEvent] = []
  /// A sync failed: nobody knows what is on the disk, and only a restart finds out.
  private var isFenced = false

  /// Reads everything in `directory`, which is made when it is not there. The first `poll` tells it all.
  ///
  /// A torn last append is cut off (see `recovery`).
  /// - Throws: `StartError` when a file cannot be read or is damaged.
  package init(
    fileSystem: any FileSystem, directory: String,
    snapshotThresholdBytes: Int64 = snapshotThresholdBytesDefault
  ) throws(StartError) {
    files = MetadataFiles(fileSystem: fileSystem, directory: directory)
    self.snapshotThresholdBytes = snapshotThresholdBytes
    log = try files.openLog()
    // A sync that failed leaves in memory what is not on the disk, and the next one says nothing: it is the disk that counts.
    log.dropCache()
    let snapshot = try files.readSnapshot()
    let scan = try files.scan(log, snapshotOffset: snapshot?.lastOffset ?? Offset(-1))
    do throws(IOError) {
      if scan.tornByteCount > 0 { try log.truncate(to: Int64(scan.intactByteCount)) }
      // What was read may be in memory only, left by a process that died before its sync: now it is committed.
      try log.sync()
    } catch {
      throw .io(error)
    }
    logByteCount = Int64(scan.intactByteCount)
    snapshotDueAtBytes = max(snapshotThresholdBytes, 1)
    recovery = LocalRecovery(snapshot: snapshot, scan: scan)
    for frame in [snapshot].compactMap({ $0 }) + scan.frames {
      commit(CommittedRecords(firstOffset: frame.firstOffset, records: frame.records))
    }
    // Nobody contests a single node: its term never ends.
    events += [.elected(controllerEpoch: 1), .loaded]
  }

  /// Writes and syncs `records` at once; the next `poll` tells how it went.
  package func append(_ records: [MetadataRecord], token: RequestToken) {
    if isFenced { return fail(token, "The metadata log failed before; the broker must be restarted.") }
    if records.isEmpty { return events.append(.appended(token, lastOffset: image.offset)) }
    let frame = MetadataFrame(firstOffset: image.nextOffset, records: records)
    guard let bytes = frame.encoded() else { return fail(token, "The change is too large for the metadata log.") }
    guard write(bytes, token: token) else { return }
    logByteCount += Int64(bytes.count)
    commit(CommittedRecords(firstOffset: frame.firstOffset, records: records))
    events.append(.appended(token, lastOffset: frame.lastOffset))
    if logByteCount >= snapshotDueAtBytes { takeSnapshot() }
  }

  /// The one broker there is. Its epoch is the offset that its registration gets: it grows with each.
  package func register(_ presence: BrokerPresence) {
    let present = PresentBroker(presence: presence, epoch: image.nextOffset.value)
    events += [.registered(epoch: present.epoch), .brokersPresent([present])]
    events.append(.controllerChanged(presence.id, controllerEpoch: 1))
  }

  package var clusterID: String? { image.clusterID.isEmpty ? nil : image.clusterID }

  package func close() { events.append(.closed) }

  /// Nothing here waits for anything.
  package func tick(_ now: Instant) -> Instant? { nil }

  /// What happened since the last call, oldest first.
  package func poll() -> [CoordinationEvent] {
    let told = events
    events = []
    return told
  }

  private func commit(_ committed: CommittedRecords) {
    committed.replay(into: &image)
    events.append(.committed(committed))
  }

  private func fail(_ token: RequestToken, _ message: String) {
    events.append(.appendFailed(token, KafkaError(.kafkaStorageError, message)))
  }

  /// After this broker can change nothing any more; a failed sync is never tried again.
  private func fence() {
    isFenced = true
    events.append(.resigned)
  }

  /// Brings `bytes` to the disk behind the log; false when that failed, which `token` was told.
  private func write(_ bytes: [UInt8], token: RequestToken) -> Bool {
    do throws(IOError) {
      try writeAll(bytes)
    } catch {
      // Half a frame may be there. With it cut off the disk was merely full, and the next append may go well.
      fail(token, "The metadata log could not be written (\(error.operation): errno \(error.errno)).")
      do throws(IOError) { try log.truncate(to: logByteCount) } catch { fence() }
      return false
    }
    do throws(IOError) {
      try log.sync()
    } catch {
      fail(token, "The metadata log could not be synced (\(error.operation): errno \(error.errno)).")
      fence()
      return false
    }
    return true
  }

  private func writeAll(_ bytes: [UInt8]) throws(IOError) {
    var outcome: Result<Void, IOError> = .success(())
    bytes.withUnsafeBytes { buffer in
      outcome = Result { () throws(IOError) in try log.write(buffer, at: logByteCount) }
    }
    try outcome.get()
  }

  /// Writes the image beside the log, then empties the log. A crash in between leaves frames that the snapshot holds
  /// already; the next start passes over them.
  private func takeSnapshot() {
    let records = image.snapshotRecords()
    let firstOffset = image.offset.advanced(by: 1 - Int64(records.count))
    guard firstOffset.value >= 0, let bytes = MetadataFrame(firstOffset: firstOffset, records: records).encoded()
    else { return postponeSnapshot() }
    do throws(IOError) {
      try files.fileSystem.replace(files.snapshotPath, with: bytes)
      try log.truncate(to: 0)
    } catch {
      snapshotFailure = error
      return postponeSnapshot()
    }
    do throws(IOError) {
      try log.sync()
    } catch {
      snapshotFailure = error
      return fence()
    }
    snapshotFailure = nil
    logByteCount = 0
    // A snapshot larger than the threshold is worth writing only for as much log again.
    snapshotDueAtBytes = max(snapshotThresholdBytes, Int64(bytes.count))
  }

  private func postponeSnapshot() {
    snapshotDueAtBytes = logByteCount + max(snapshotThresholdBytes, 1)
  }
}

/// What a single node found in its metadata files when it started.
package struct LocalRecovery: Sendable, Equatable {
  /// The last record in the snapshot; nil without one.
  package let snapshotOffset: Offset?
  /// Records read, those of the snapshot included.
  package let recordCount: Int
  /// Bytes of an unfinished append that were cut off the end of the log.
  package let truncatedByteCount: Int

  init(snapshot: MetadataFrame?, scan: MetadataLogScan) {
    snapshotOffset = snapshot?.lastOffset
    recordCount = (snapshot?.records.count ?? 0) + scan.frames.reduce(0) { $0 + $1.records.count }
    truncatedByteCount = scan.tornByteCount
  }
}
