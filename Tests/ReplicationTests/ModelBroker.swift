import Configuration
import Effects
import KafkaProtocol
import Primitives
import Records
import Simulation
import Storage

@testable import Replication

/// A batch of a log, as far as the checks look at it.
struct ModelBatch: Equatable, CustomStringConvertible {
  let base: Int64
  let end: Int64
  /// Its checksum: the records of no two batches are alike.
  let identity: UInt32
  let epoch: Int32
  let producer: Int64
  let sequence: Int32
  var description: String { "\(base)..<\(end) of term \(epoch), sequence \(sequence)" }
}

/// A broker with one replica: the partition, its log on a disk of its own, the fetcher, and the sessions of its followers.
final class ModelBroker {
  static let directory = "data/orders-0"
  static let topicPartition = TopicPartition("orders", 0)
  static let topicID = UUID(high: 7, low: 8)

  let id: BrokerID
  let config: TopicConfig
  let mutation: Mutation?
  var disk = SimulatedDisk(folders: ["data"], pageByteCount: 512)
  /// nil while the process is down.
  var partition: Partition?
  /// What the controller called it when it last registered.
  var brokerEpoch: Int64 = -1
  /// The number of the controller's state that it knows.
  var view = -1
  var fetcher: ReplicaFetcher?
  /// Which request the fetcher waits for.
  var askedToken: Int?
  /// Sessions at this broker: what it knows of each follower's last request.
  var sessions: [Int32: Session] = [:]
  var nextSession: Int32 = 1
  var flush: FlushWork?
  /// What the log holds, and whether that may be out of date.
  var batches: [ModelBatch] = []
  var isChanged = true
  /// What waits for the high watermark: offsets behind the batches.
  var waits: [Int64] = []
  /// The most that it showed, in this life.
  var shown: Int64 = 0
  /// After an unclean election, until it has agreed with the new leader.
  var isForgiven = false

  struct Session {
    var epoch: Int32 = 1
    var partition: FetchRequest.FetchPartition?
  }

  init(_ id: BrokerID, _ config: TopicConfig, _ mutation: Mutation?) {
    self.id = id
    self.config = config
    self.mutation = mutation
  }

  var isUp: Bool { partition != nil }

  // MARK: life

  private func checkpoint(_ name: OffsetCheckpoint.Name) -> OffsetCheckpoint {
    OffsetCheckpoint(name, logDirectory: "data", fileSystem: disk)
  }

  func start(now: Timestamp) throws {
    let point = try checkpoint(.recoveryPoint).read()[Self.topicPartition]
    let start = try checkpoint(.logStartOffset).read()[Self.topicPartition]
    let log = try Log.open(
      directory: Self.directory, topicPartition: Self.topicPartition, topicID: Self.topicID,
      config: Partition.logConfig(config),
      environment: LogEnvironment(fileSystem: disk, handles: FileHandleCache(fileSystem: disk, openFilesMax: 20)),
      recovery: .unclean(recoveryPoint: point ?? .zero), now: now, logStartOffset: start)
    if let point, point > log.recoveryPoint {
      try checkpoint(.recoveryPoint).write([Self.topicPartition: log.recoveryPoint])
    }
    // What a start finds is brought to the disk before anybody is let in.
    try log.flush()
    let partition = Partition(
      Self.topicPartition, topicID: Self.topicID, log: log, brokerID: id, config: config,
      decompressedBytesMax: 1 << 20, replicaLagTimeMaxMs: 1000)
    partition.mutate(mutation)
    self.partition = partition
    isChanged = true
    shown = 0
  }

  /// The process ends; with `isPowerCut`, what was not flushed is gone.
  func stop(isPowerCut: Bool) {
    if isPowerCut { disk = disk.afterPowerCut(data: .lost, names: .lost) }
    partition = nil
    fetcher = nil
    askedToken = nil
    sessions = [:]
    flush = nil
    waits = []
    batches = []
    view = -1
  }

  /// The folder goes: the broker is no replica any more.
  func deleteLog() throws {
    guard let partition else { return }
    partition.log.abandon()
    for name in try disk.list(Self.directory) { try disk.removeFile(Self.directory + "/" + name) }
    try disk.removeDirectory(Self.directory)
    try disk.syncDirectory("data")
    for name in [OffsetCheckpoint.Name.recoveryPoint, .logStartOffset] { try checkpoint(name).write([:]) }
  }

  func writeCheckpoints() throws {
    guard let log = partition?.log else { return }
    let cut = log.unnotedCut
    log.writeCheckpointHints()
    try checkpoint(.recoveryPoint).write([Self.topicPartition: log.recoveryPoint])
    if let cut { log.noteCutWritten(cut) }
    try checkpoint(.logStartOffset).write([Self.topicPartition: log.logStartOffset])
  }

  // MARK: looking

  /// Reads the whole log, where it may have changed.
  func look() throws {
    guard isChanged, let log = partition?.log else { return }
    isChanged = false
    batches = []
    var next = log.logStartOffset
    while next < log.writtenEndOffset {
      let slice = try log.read(from: next, maxBytes: 1 << 20, upTo: log.writtenEndOffset, minOneBatch: true)
      guard let end = slice.nextOffset, end > next, let bytes = try Self.bytes(slice) else { break }
      add(bytes)
      next = end
    }
  }

  private func add(_ bytes: [UInt8]) {
    bytes.withUnsafeBytes { bytes in
      var position = 0
      while let header = RecordBatchHeader(reading: UnsafeRawBufferPointer(rebasing: bytes[position...])) {
        batches.append(
          ModelBatch(
            base: header.baseOffset.value, end: header.nextOffset.value, identity: header.checksum,
            epoch: header.partitionLeaderEpoch.value, producer: header.producerID.value, sequence: header.baseSequence))
        position += header.totalByteCount
      }
    }
  }

  static func bytes(_ slice: LogSlice) throws -> [UInt8]? {
    guard let range = slice.range else { return nil }
    var bytes = [UInt8](repeating: 0, count: range.byteCount)
    let count = try bytes.withUnsafeMutableBytes { try range.file.read(into: $0, at: range.position) }
    return count == bytes.count ? bytes : nil
  }
}
