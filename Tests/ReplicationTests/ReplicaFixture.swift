import Cluster
import Configuration
import Primitives
import Records
import Storage
import TestSupport

@testable import Replication

/// Broker 1's replica of a partition of brokers 1, 2 and 3, and short words for what tests do with it.
final class ReplicaFixture {
  static let ids = [BrokerID(1), BrokerID(2), BrokerID(3)]
  let disk = MemoryFileSystem()
  let partition: Partition
  let validator = BatchValidator()
  var now = Instant(nanoseconds: 1_000_000_000)
  var wallClock = Timestamp(milliseconds: 1_700_000_000_000)
  var image = PartitionImage(
    replicas: ids, isr: ids, leader: BrokerID(1), leaderEpoch: LeaderEpoch(5), partitionEpoch: 10)
  var brokers: [BrokerID: BrokerRegistration] = [:]

  init(_ overrides: [String: String] = ["durability": "replicated"]) throws {
    try disk.createDirectory("/data")
    let config = BrokerConfig().topicConfig(overrides: overrides)
    let id = UUID(high: 1, low: 2)
    let log = try Log.open(
      directory: "/data/orders-0", topicPartition: TopicPartition("orders", 0), topicID: id,
      config: Partition.logConfig(config),
      environment: LogEnvironment(fileSystem: disk, handles: FileHandleCache(fileSystem: disk, openFilesMax: 100)),
      recovery: .clean, now: wallClock)
    partition = Partition(
      TopicPartition("orders", 0), topicID: id, log: log, brokerID: BrokerID(1), config: config,
      decompressedBytesMax: 1 << 20, replicaLagTimeMaxMs: 1000)
    for id in Self.ids { register(id, epoch: Int64(100 + id.value)) }
  }

  func register(_ id: BrokerID, epoch: Int64, isFenced: Bool = false) {
    brokers[id] = BrokerRegistration(
      id: id, epoch: epoch, rack: "r\(id.value)", endpoints: [], isFenced: isFenced)
  }

  @discardableResult
  func apply() -> RoleChange { partition.apply(image, brokers: brokers, now: now) }

  /// The image with another leader, in the next term.
  func lead(_ leader: Int32, isr: [Int32]? = nil) -> RoleChange {
    image.leader = BrokerID(leader)
    image.leaderEpoch = LeaderEpoch(image.leaderEpoch.value + 1)
    image.partitionEpoch += 1
    if let isr { image.isr = isr.map { BrokerID($0) } }
    return apply()
  }

  func pass(ms: Int64) { now = now.advanced(byMilliseconds: ms) }

  static func batch(_ value: String) -> [UInt8] {
    var builder = RecordBatchBuilder(producerID: .none, producerEpoch: .none, baseSequence: -1)
    builder.append(key: nil, value: Array(value.utf8), timestamp: Timestamp(milliseconds: 1_700_000_000_000))
    return builder.build()
  }

  /// Appends batches of one record as leader, written. Returns an error's code.
  @discardableResult
  func append(_ count: Int = 1, requiresAllReplicas: Bool = true) throws -> ErrorCode {
    for number in 0..<count {
      let code = Self.batch("\(number)").withUnsafeBytes { bytes -> ErrorCode in
        do throws(BatchRejection) {
          _ = try partition.appendAsLeader(
            bytes, version: 9, requiresAllReplicas: requiresAllReplicas, validator: validator, now: wallClock)
          return .none
        } catch { return error.code }
      }
      if code != .none { return code }
    }
    try partition.log.writePending()
    return .none
  }

  func fetch(
    _ replica: Int32, at offset: Int64, lastEpoch: Int32 = -1, epoch: Int32? = nil, brokerEpoch: Int64? = nil,
    logStart: Int64 = 0
  ) -> FollowerFetch {
    FollowerFetch(
      replica: BrokerID(replica), brokerEpoch: brokerEpoch ?? Int64(100 + replica),
      currentLeaderEpoch: epoch.map { LeaderEpoch($0) } ?? partition.leaderEpoch,
      position: FetchPosition(
        offset: Offset(offset), lastFetchedEpoch: LeaderEpoch(lastEpoch), logStartOffset: Offset(logStart)))
  }

  /// A follower has everything before `offset`.
  @discardableResult
  func fetched(_ replica: Int32, at offset: Int64, brokerEpoch: Int64? = nil, logStart: Int64 = 0) -> Bool {
    partition.followerFetched(fetch(replica, at: offset, brokerEpoch: brokerEpoch, logStart: logStart), now: now)
  }

  /// Batches of one record as a leader has them, from `offset` on.
  static func leaderBatches(from offset: Int64, epochs: [Int32]) -> [UInt8] {
    var all: [UInt8] = []
    for (number, epoch) in epochs.enumerated() {
      var bytes = batch("of term \(epoch)")
      bytes.withUnsafeMutableBytes { bytes in
        bytes.baseAddress?.storeBigEndian(offset + Int64(number), at: 0)
        bytes.baseAddress?.storeBigEndian(epoch, at: 12)
      }
      all += bytes
    }
    return all
  }

  /// Copies such batches from the leader.
  @discardableResult
  func copy(
    from offset: Int64, epochs: [Int32], highWatermark: Int64 = 0, logStart: Int64 = 0, leaderEpoch: Int32? = nil
  ) throws(LogError) -> Partition.Followed {
    let bytes = Self.leaderBatches(from: offset, epochs: epochs)
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, bytes.count), alignment: 8)
    defer { memory.deallocate() }
    memory.copyBytes(from: bytes)
    return try partition.appendFetched(
      UnsafeRawBufferPointer(rebasing: memory[..<bytes.count]),
      leaderEpoch: leaderEpoch.map { LeaderEpoch($0) } ?? partition.leaderEpoch, fetchOffset: Offset(offset),
      highWatermark: Offset(highWatermark), logStartOffset: Offset(logStart), now: wallClock)
  }
}

/// The error's code, if `body` throws one.
func code(_ body: () throws -> Void) -> ErrorCode {
  do {
    try body()
    return .none
  } catch { return (error as? KafkaError)?.code ?? .unknownServerError }
}
