import Effects
import Primitives
import Records
import Simulation

@testable import Storage

/// A log on a simulated disk with its history, handled as a broker handles it: recovery point and log start are kept in the
/// checkpoints of the folder above.
final class SimulatedLog {
  static let partition = TopicPartition("orders", 0)

  var disk: SimulatedDisk
  var config: LogConfig
  var history = LogHistory()
  var now = Timestamp(milliseconds: 1_700_000_000_000)
  let events = LogFixture.EventList()
  /// nil while the log is not open.
  private(set) var log: Log?
  /// What every batch holds, so that no two are alike.
  private var batchNumber = 0
  private var sequences: [Int64: Int32] = [:]
  /// Whether batches are appended as a follower does, with the offsets and terms that a leader gave them.
  var isCopy = false
  /// Whether a start after a stop that was not clean brings everything to the disk before it opens the log, as a broker's does.
  var startsSynced = false
  /// What the log-start-offset-checkpoint may say of the log: what was written last, and what could not be written since.
  private var notedStarts: [Int64] = []

  init(_ config: LogConfig, disk: SimulatedDisk) {
    self.config = config
    self.disk = disk
  }

  /// A second one as this is, on `disk`, not open.
  func copy(on disk: SimulatedDisk) -> SimulatedLog {
    let copy = SimulatedLog(config, disk: disk)
    copy.history = history
    copy.now = now
    copy.batchNumber = batchNumber
    copy.sequences = sequences
    copy.startsSynced = startsSynced
    copy.notedStarts = notedStarts
    return copy
  }

  var opened: Log {
    get throws(Violation) {
      guard let log else { throw Violation(description: "the log is not open") }
      return log
    }
  }

  // MARK: opening and stopping

  private func checkpoint(_ name: OffsetCheckpoint.Name) -> OffsetCheckpoint {
    OffsetCheckpoint(name, logDirectory: "data", fileSystem: disk)
  }

  /// Opens the log with what the checkpoints say, and writes a recovery point that turned out to be too high.
  ///
  /// What a killed process left of the checkpoints is brought to the disk before it is believed: a log that has begun at an
  /// offset must not begin before it again.
  func open(clean: Bool = false) throws(IOError) {
    if !clean { try startsSynced ? disk.syncAll(holding: "data") : disk.syncDirectory("data") }
    let point = try FolderCheckpoints(beginning: "data", disk).recoveryPoint(of: Self.partition)
    let start = try checkpoint(.logStartOffset).read()[Self.partition]
    let events = events
    let log = try Log.open(
      directory: LogFixture.directory, topicPartition: Self.partition, topicID: LogFixture.topicID, config: config,
      environment: LogEnvironment(
        fileSystem: disk, handles: FileHandleCache(fileSystem: disk, openFilesMax: 4),
        log: { events.events.append($0) }),
      recovery: clean ? .clean : .unclean(recoveryPoint: point, isSynced: startsSynced), now: now,
      logStartOffset: start)
    if let point, point > log.recoveryPoint {
      try checkpoint(.recoveryPoint).write([Self.partition: log.recoveryPoint])
    }
    self.log = log
  }

  /// Opens, checks against the history, and takes what is found for the history from now on.
  func openAndCheck(clean: Bool = false) throws {
    try open(clean: clean)
    let log = try opened
    do { try LogChecks(log: log, history: history).afterOpening() } catch {
      self.log = nil
      throw error
    }
    history.settle(start: log.logStartOffset.value, end: log.logEndOffset.value)
    sequences.removeAll()
    for (id, state) in log.producers.states { sequences[id.value] = state.lastSequence }
  }

  /// The process ends, what it wrote stays.
  func kill() { log = nil }

  /// The power goes: the disk keeps what it will.
  func cutPower(data: UnsyncedFate, names: UnsyncedFate, seed: UInt64 = 0) {
    log = nil
    disk = disk.afterPowerCut(data: data, names: names, seed: seed)
  }

  /// The process stops in order; the log is then not open.
  func close() throws {
    let log = try opened
    do throws(LogError) { try log.close() } catch { try failed(error) }
    history.flushedEnd = log.recoveryPoint.value
    try checkpointRecoveryPoint()
    try checkpointLogStart()
    self.log = nil
  }

  // MARK: what a broker does

  /// A batch that is like no other.
  func batch(_ count: Int, valueByteCount: Int = 30, timestamp: Int64? = nil, producer: Int64? = nil) -> [UInt8] {
    batchNumber += 1
    var builder = RecordBatchBuilder(
      compression: .none, producerID: ProducerID(producer ?? -1),
      producerEpoch: ProducerEpoch(producer == nil ? -1 : 0),
      baseSequence: producer.map { (sequences[$0] ?? -1) + 1 } ?? -1, isTransactional: false)
    for number in 0..<count {
      let text = Array("batch \(batchNumber) record \(number)".utf8)
      let filling = [UInt8](
        repeating: UInt8(truncatingIfNeeded: batchNumber), count: max(0, valueByteCount - text.count))
      builder.append(
        key: nil, value: text + filling, timestamp: Timestamp(milliseconds: timestamp ?? now.milliseconds))
    }
    return builder.build()
  }

  func append(_ bytes: [UInt8], epoch: Int32 = 0, producer: Int64? = nil, recordCount: Int) throws {
    let log = try opened
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 8)
    defer { memory.deallocate() }
    memory.copyBytes(from: bytes)
    guard let header = RecordBatchHeader(reading: UnsafeRawBufferPointer(memory)) else { return }
    let expected = AppendResult(
      baseOffset: log.logEndOffset, lastOffset: log.logEndOffset.advanced(by: Int64(recordCount - 1)))
    let result: AppendResult
    do throws(LogError) {
      if isCopy {
        memory.baseAddress?.storeBigEndian(expected.baseOffset.value, at: 0)
        memory.baseAddress?.storeBigEndian(epoch, at: 12)
        _ = try log.appendFetched(UnsafeRawBufferPointer(memory), leaderEpoch: LeaderEpoch(epoch), now: now)
        result = AppendResult(baseOffset: expected.baseOffset, lastOffset: log.logEndOffset.advanced(by: -1))
      } else {
        result = try log.append(
          UnsafeRawBufferPointer(memory), header: header, leaderEpoch: LeaderEpoch(epoch), appendTime: now)
      }
    } catch {
      // A large batch goes to the file at once: after a failure it may be there whole.
      if log.isFenced, history.end == expected.baseOffset.value {
        history.append(bytes, expected, epoch: epoch, at: now)
      }
      return try failed(error)
    }
    try check(result == expected, "an append got \(result), and \(expected) was due")
    history.append(bytes, result, epoch: epoch, at: now)
    if let producer { sequences[producer] = header.lastSequence }
  }

  func append(records count: Int = 1, valueByteCount: Int = 30, epoch: Int32 = 0) throws {
    try append(batch(count, valueByteCount: valueByteCount), epoch: epoch, recordCount: count)
  }

  /// After a failure: an open log that goes on has lost nothing but what was never written.
  func failed(_ error: LogError) throws {
    let log = try opened
    try check(log.logEndOffset == log.writtenEndOffset || log.hasPending, "a failed log promises more than it has")
    if !log.isFenced { history.entries.removeAll { $0.base >= log.logEndOffset.value } }
    noteFlushed()
    throw error
  }

  private func noteFlushed() {
    guard let log, !log.isFenced else { return }
    history.flushedEnd = max(history.flushedEnd, log.recoveryPoint.value)
  }

  func writePending() throws {
    let log = try opened
    do throws(LogError) { try log.writePending() } catch { try failed(error) }
  }

  func flush() throws {
    let log = try opened
    do throws(LogError) { try log.flush() } catch { try failed(error) }
    noteFlushed()
  }

  func truncate(to offset: Int64) throws {
    let log = try opened
    let isAll = offset < log.segments[0].baseOffset.value
    let cut = history.entries.first { $0.last >= offset }?.base ?? offset
    let start = history.startMax
    do throws(LogError) { try log.truncate(to: Offset(offset), now: now) } catch {
      guard log.isFenced else { return try failed(error) }
      // It may have come to pass, wholly or in part, or not.
      history.flushedEnd = min(history.flushedEnd, isAll ? 0 : cut)
      history.emptyStarts += (isAll ? [offset, start] : [start]) + notedStarts
      throw error
    }
    guard offset < history.end else { return }
    history.cut(from: isAll ? .min : offset, end: log.logEndOffset.value)
    if isAll { history.startMax = offset }
    try check(log.logEndOffset.value == history.end, "cut to \(offset) it ends at \(log.logEndOffset.value)")
    if log.logStartOffset.value < start {
      history.emptyStarts += [start] + notedStarts
      try checkpointLogStart()
      history.emptyStarts.removeAll()
    }
    try checkpointRecoveryPoint()
  }

  func restart(at offset: Int64) throws {
    let log = try opened
    let start = history.startMax
    do throws(LogError) { try log.restart(at: Offset(offset), now: now) } catch {
      guard log.isFenced else { return try failed(error) }
      history.flushedEnd = 0
      history.emptyStarts += [offset, start] + notedStarts
      throw error
    }
    history.cut(from: .min, end: offset)
    history.startMax = offset
    try check(log.logStartOffset.value == offset && log.logEndOffset.value == offset, "it did not start at \(offset)")
    if offset < start {
      history.emptyStarts += [start] + notedStarts
      try checkpointLogStart()
      history.emptyStarts.removeAll()
    }
    try checkpointRecoveryPoint()
  }

  func deleteRecords(before offset: Int64) throws {
    let log = try opened
    history.startMax = max(history.startMax, offset)
    do throws(LogError) { try log.deleteRecords(before: Offset(offset), now: now) } catch { try failed(error) }
    try checkpointLogStart()
  }

  func applyRetention(upTo limit: Int64) throws {
    let log = try opened
    let before = log.logStartOffset.value
    // All of the segments below may be renamed when the first of them fails.
    var failure: LogError?
    do throws(LogError) { try log.applyRetention(now: now, highWatermark: Offset(limit)) } catch { failure = error }
    history.startMax = max(history.startMax, log.logStartOffset.value)
    if config.retentionBytes < 0 {
      for entry in history.visible(from: before, to: log.logStartOffset.value) {
        let age = now.milliseconds - min(entry.header.maxTimestamp.milliseconds, entry.appendTime)
        try check(age > config.retentionMs, "the batch at \(entry.base) went at an age of \(age) ms")
      }
    }
    if let failure { try failed(failure) }
    try checkpointLogStart()
  }

  func checkpointRecoveryPoint() throws {
    try opened.writeCheckpointHints()
    let cut = try opened.unnotedCut
    try checkpoint(.recoveryPoint).write([Self.partition: opened.recoveryPoint])
    if let cut { try opened.noteCutWritten(cut) }
  }

  func checkpointLogStart() throws {
    let start = try opened.logStartOffset
    notedStarts.append(start.value)
    try checkpoint(.logStartOffset).write([Self.partition: start])
    notedStarts = [start.value]
  }
}
