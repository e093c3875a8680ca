import Effects
import Primitives
import Records
import Simulation

@testable import Storage

/// A log in memory (or wherever `fileSystem` is), and short words for what tests do with it.
final class LogFixture {
  static let topicID = UUID(high: 0x0001_0203_0405_4607, low: 0x8809_0a0b_0c0d_0e0f)
  static let directory = "data/orders-0"

  let fileSystem: any FileSystem
  let directory: String
  var config: LogConfig
  var log: Log
  var now = Timestamp(milliseconds: 1_700_000_000_000)
  var events: EventList

  final class EventList {
    var events: [LogEvent] = []
  }

  init(
    _ config: LogConfig = LogConfig(segmentBytes: 4096, indexIntervalBytes: 256),
    fileSystem: any FileSystem = SimulatedDisk(),
    directory: String = LogFixture.directory, recovery: LogRecoveryMode = .clean, logStartOffset: Offset? = nil
  ) throws {
    self.config = config
    self.fileSystem = fileSystem
    self.directory = directory
    let events = EventList()
    self.events = events
    log = try Self.open(config, fileSystem, directory, recovery, now, events, logStartOffset)
  }

  private static func open(
    _ config: LogConfig, _ fileSystem: any FileSystem, _ directory: String, _ recovery: LogRecoveryMode,
    _ now: Timestamp,
    _ events: EventList, _ logStartOffset: Offset? = nil, _ firstDirtyOffset: Offset? = nil
  ) throws(IOError) -> Log {
    // Few handles, so that files are closed and opened again all the time.
    let handles = FileHandleCache(fileSystem: fileSystem, openFilesMax: 4)
    return try Log.open(
      directory: directory, topicPartition: TopicPartition("orders", 0), topicID: topicID, config: config,
      environment: LogEnvironment(fileSystem: fileSystem, handles: handles, log: { events.events.append($0) }),
      recovery: recovery, now: now, logStartOffset: logStartOffset, firstDirtyOffset: firstDirtyOffset)
  }

  /// Opens what the folder holds, whatever became of the log before.
  func open(_ recovery: LogRecoveryMode, firstDirtyOffset: Offset? = nil) throws {
    log = try Self.open(config, fileSystem, directory, recovery, now, events, nil, firstDirtyOffset)
  }

  /// Opens the log again, closed in order before where `recovery` is `.clean`.
  func reopen(_ recovery: LogRecoveryMode, logStartOffset: Offset? = nil) throws {
    if recovery == .clean { try log.close() } else { log.releaseFiles() }
    log = try Self.open(config, fileSystem, directory, recovery, now, events)
    if let logStartOffset { try log.deleteRecords(before: logStartOffset, now: now) }
  }

  @discardableResult
  func append(_ batch: [UInt8], epoch: Int32 = 0) throws(LogError) -> AppendResult {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: batch.count, alignment: 8)
    defer { memory.deallocate() }
    memory.copyBytes(from: batch)
    let bytes = UnsafeRawBufferPointer(memory)
    guard let header = RecordBatchHeader(reading: bytes) else {
      return AppendResult(baseOffset: .zero, lastOffset: .zero)
    }
    return try log.append(bytes, header: header, leaderEpoch: LeaderEpoch(epoch), appendTime: now)
  }

  /// The bytes of a slice.
  func bytes(_ slice: LogSlice) throws -> [UInt8] {
    guard let range = slice.range else { return [] }
    var bytes = [UInt8](repeating: 0, count: range.byteCount)
    let count = try bytes.withUnsafeMutableBytes { try range.file.read(into: $0, at: range.position) }
    return Array(bytes[..<count])
  }

  func read(
    _ offset: Int64, maxBytes: Int = 1 << 20, upTo limit: Offset? = nil, minOneBatch: Bool = true
  ) throws -> [UInt8] {
    try bytes(
      log.read(from: Offset(offset), maxBytes: maxBytes, upTo: limit ?? log.logEndOffset, minOneBatch: minOneBatch))
  }
}

/// A batch of `count` records of `valueByteCount` bytes, at `timestamp` and a millisecond later each.
func makeBatch(
  _ count: Int, valueByteCount: Int = 20, timestamp: Int64 = 1_700_000_000_000, step: Int64 = 1,
  compression: CompressionType = .none, producerID: Int64 = -1, producerEpoch: Int16 = -1, baseSequence: Int32 = -1,
  isTransactional: Bool = false
) -> [UInt8] {
  var builder = RecordBatchBuilder(
    compression: compression, producerID: ProducerID(producerID), producerEpoch: ProducerEpoch(producerEpoch),
    baseSequence: baseSequence, isTransactional: isTransactional)
  for number in 0..<count {
    builder.append(
      key: nil, value: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: valueByteCount),
      timestamp: Timestamp(milliseconds: timestamp + Int64(number) * step))
  }
  return builder.build()
}

/// Splits bytes of a log into whole batches; a part at the end is dropped.
func splitBatches(_ bytes: [UInt8]) -> [(header: RecordBatchHeader, bytes: [UInt8])] {
  var batches: [(header: RecordBatchHeader, bytes: [UInt8])] = []
  var rest = bytes[...]
  while let header = Array(rest.prefix(61)).withUnsafeBytes({ RecordBatchHeader(reading: $0) }),
    header.totalByteCount <= rest.count
  {
    batches.append((header, Array(rest.prefix(header.totalByteCount))))
    rest = rest.dropFirst(header.totalByteCount)
  }
  return batches
}

/// Random numbers that are the same in every run.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = (seed &+ 1) &* 0xd134_2543_de82_ef95 }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }
}
