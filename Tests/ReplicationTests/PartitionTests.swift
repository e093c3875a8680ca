import Cluster
import Configuration
import Effects
import Primitives
import Records
import Replication
import Storage
import TestSupport
import Testing

@Suite struct PartitionTests {
  private let disk = MemoryFileSystem()
  private let validator = BatchValidator()
  private let now = Timestamp(milliseconds: 1_700_000_000_000)

  private func open(_ overrides: [String: String] = [:], isrCount: Int = 1, epoch: Int32 = 0) throws -> Partition {
    try disk.createDirectory("/data")
    let config = BrokerConfig().topicConfig(overrides: overrides)
    let topicPartition = TopicPartition("orders", 0)
    let id = UUID(high: 1, low: 2)
    let log = try Log.open(
      directory: "/data/orders-0", topicPartition: topicPartition, topicID: id,
      config: Partition.logConfig(config),
      environment: LogEnvironment(fileSystem: disk, handles: FileHandleCache(fileSystem: disk, openFilesMax: 100)),
      recovery: .clean, now: now)
    let partition = Partition(
      topicPartition, topicID: id, log: log, brokerID: BrokerID(0), config: config, decompressedBytesMax: 1 << 20)
    lead(partition, epoch: epoch, isrCount: isrCount)
    return partition
  }

  /// Makes broker 0 the leader, with so many replicas, all in sync.
  private func lead(_ partition: Partition, epoch: Int32, isrCount: Int = 1, replicaCount: Int? = nil) {
    let replicas = (0..<Int32(replicaCount ?? isrCount)).map { BrokerID($0) }
    let image = PartitionImage(
      replicas: replicas, isr: Array(replicas.prefix(isrCount)), leader: BrokerID(0), leaderEpoch: LeaderEpoch(epoch),
      partitionEpoch: epoch)
    _ = partition.apply(image, brokers: [:], now: Instant(nanoseconds: 0))
  }

  private func batch(
    _ values: [String], producer: Int64 = -1, epoch: Int16 = 0, sequence: Int32 = -1, isTransactional: Bool = false,
    at timestamp: Timestamp? = nil
  ) -> [UInt8] {
    var builder = RecordBatchBuilder(
      producerID: ProducerID(producer), producerEpoch: ProducerEpoch(producer < 0 ? -1 : epoch), baseSequence: sequence,
      isTransactional: isTransactional)
    for value in values { builder.append(key: nil, value: Array(value.utf8), timestamp: timestamp ?? now) }
    return builder.build()
  }

  /// Appends and returns the base offset, or the error's code.
  private func append(
    _ bytes: [UInt8], to partition: Partition, requiresAllReplicas: Bool = true
  ) -> Result<Partition.Appended, BatchRejection> {
    bytes.withUnsafeBytes { bytes -> Result<Partition.Appended, BatchRejection> in
      do throws(BatchRejection) {
        return .success(
          try partition.appendAsLeader(
            bytes, version: 9, requiresAllReplicas: requiresAllReplicas, validator: validator, now: now))
      } catch { return .failure(error) }
    }
  }

  private func code(_ result: Result<Partition.Appended, BatchRejection>) -> ErrorCode {
    switch result {
    case .success: .none
    case .failure(let error): error.code
    }
  }

  @Test func whatIsAppendedIsSeenWhenItIsOnTheDisk() throws {
    let partition = try open()
    #expect(try append(batch(["a", "b"]), to: partition).get().baseOffset == Offset(0))
    #expect(try append(batch(["c"]), to: partition).get().baseOffset == Offset(2))
    #expect(!partition.advanceHighWatermark())
    #expect(partition.highWatermark == .zero)
    #expect(try partition.read(from: .zero, maxBytes: 1000, minOneBatch: true).range == nil)
    try partition.log.writePending()
    #expect(!partition.advanceHighWatermark() && partition.waitsForFlush)
    #expect(try partition.read(from: .zero, maxBytes: 1000, minOneBatch: true).range == nil)
    try partition.log.flush()
    #expect(partition.advanceHighWatermark() && !partition.waitsForFlush)
    #expect(partition.highWatermark == Offset(3))
    #expect(!partition.advanceHighWatermark())
    let slice = try partition.read(from: .zero, maxBytes: 1000, minOneBatch: true)
    #expect(slice.range?.byteCount == batch(["a", "b"]).count + batch(["c"]).count)
  }

  @Test func aReopenedPartitionShowsAllThatWasWritten() throws {
    var partition = try open()
    _ = append(batch(["a", "b"]), to: partition)
    try partition.log.close()
    partition = try open()
    #expect(partition.highWatermark == Offset(2))
  }

  @Test func aDuplicateIsToldItsOldOffsetAndIsNotNew() throws {
    let partition = try open()
    _ = append(batch(["before"]), to: partition)
    let first = try append(batch(["once"], producer: 5, sequence: 0), to: partition).get()
    #expect(first.isNew && first.baseOffset == Offset(1))
    let second = try append(batch(["once"], producer: 5, sequence: 0), to: partition).get()
    #expect(!second.isNew && second.baseOffset == Offset(1))
    #expect(code(append(batch(["late"], producer: 5, sequence: 7), to: partition)) == .outOfOrderSequenceNumber)
    #expect(code(append(batch(["next"], producer: 5, epoch: 1, sequence: 0), to: partition)) == .none)
    #expect(code(append(batch(["old"], producer: 5, epoch: 0, sequence: 1), to: partition)) == .invalidProducerEpoch)
    #expect(partition.log.logEndOffset == Offset(3))
  }

  @Test func transactionsAreRefused() throws {
    let partition = try open()
    let error = code(append(batch(["t"], producer: 5, sequence: 0, isTransactional: true), to: partition))
    #expect(error != .none)
    #expect(partition.log.logEndOffset == .zero)
  }

  @Test func acksAllNeedsEnoughReplicas() throws {
    let partition = try open(["min.insync.replicas": "2"])
    lead(partition, epoch: 1, isrCount: 1, replicaCount: 2)
    #expect(code(append(batch(["a"]), to: partition)) == .notEnoughReplicas)
    #expect(code(append(batch(["a"]), to: partition, requiresAllReplicas: false)) == .none)
    lead(partition, epoch: 2, isrCount: 2)
    #expect(code(append(batch(["a"]), to: partition)) == .none)
    lead(partition, epoch: 3, isrCount: 1, replicaCount: 1)
    #expect(code(append(batch(["a"]), to: partition)) == .none, "all of one replica is enough")
  }

  @Test func aBatchLargerThanTheTopicTakesIsRefused() throws {
    let partition = try open(["max.message.bytes": "100"])
    #expect(code(append(batch([String(repeating: "x", count: 200)]), to: partition)) == .messageTooLarge)
    partition.reconfigure(BrokerConfig().topicConfig(overrides: ["max.message.bytes": "10000"]))
    #expect(code(append(batch([String(repeating: "x", count: 200)]), to: partition)) == .none)
  }

  @Test func theBrokersClockIsToldWhereTheTopicUsesIt() throws {
    let partition = try open(["message.timestamp.type": "LogAppendTime"])
    let appended = try append(batch(["a"], at: Timestamp(milliseconds: 5)), to: partition).get()
    #expect(appended.logAppendTime == now)
    let other = try open()
    #expect(try append(batch(["a"]), to: other).get().logAppendTime == .none)
  }

  @Test func requestsOfOtherEpochsAreRefused() throws {
    let partition = try open(epoch: 5)
    func check(_ epoch: Int32) -> ErrorCode {
      do throws(KafkaError) {
        try partition.checkLeaderEpoch(epoch)
        return .none
      } catch { return error.code }
    }
    #expect(check(-1) == .none)
    #expect(check(5) == .none)
    #expect(check(4) == .fencedLeaderEpoch)
    #expect(check(6) == .unknownLeaderEpoch)
    lead(partition, epoch: 6, isrCount: 1)
    #expect(check(5) == .fencedLeaderEpoch)
    lead(partition, epoch: 3, isrCount: 1)
    #expect(partition.leaderEpoch == LeaderEpoch(6), "epochs only grow")
  }

  @Test func epochsEndWhereTheNextBegins() throws {
    let partition = try open(epoch: 2)
    _ = append(batch(["a", "b"]), to: partition)
    lead(partition, epoch: 4, isrCount: 1)
    _ = append(batch(["c"]), to: partition)
    try partition.log.writePending()
    #expect(partition.endOffset(for: LeaderEpoch(2)).endOffset == Offset(2))
    #expect(partition.endOffset(for: LeaderEpoch(3)).endOffset == Offset(2))
    #expect(partition.endOffset(for: LeaderEpoch(4)).endOffset == Offset(3))
  }

  @Test func offsetsOutsideTheLogAreRefused() throws {
    let partition = try open()
    _ = append(batch(["a"]), to: partition)
    try partition.log.writePending()
    _ = partition.advanceHighWatermark()
    for offset: Int64 in [-1, 2, .max, .min] {
      #expect(throws: KafkaError.self) {
        try partition.read(from: Offset(offset), maxBytes: 100, minOneBatch: true)
      }
    }
    #expect(try partition.read(from: Offset(1), maxBytes: 100, minOneBatch: true).range == nil)
  }

  @Test func aFailedWriteIsAStorageErrorFromThenOn() throws {
    let partition = try open()
    disk.failWrites(to: "orders-0")
    _ = append(batch(["a"]), to: partition)
    #expect(throws: LogError.self) { try partition.log.writePending() }
    disk.heal()
    #expect(code(append(batch(["b"]), to: partition)) == .kafkaStorageError)
    #expect(!partition.advanceHighWatermark())
  }
}
