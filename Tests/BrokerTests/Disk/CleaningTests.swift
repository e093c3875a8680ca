import KafkaProtocol
import Primitives
import Records
import Replication
import Storage
import TestSupport
import Testing

@testable import Broker

@Suite struct CleaningTests {
  private static let settings = [
    (name: "log.segment.bytes", value: "2000"), (name: "log.cleanup.policy", value: "compact"),
    (name: "log.cleaner.backoff.ms", value: "1000"), (name: "log.segment.delete.delay.ms", value: "0"),
  ]

  private func broker(_ more: [(name: String, value: String)] = []) throws -> SimulatedBroker {
    let broker = try SimulatedBroker(shards: 2, settings: Self.settings + more)
    try broker.create("orders", partitions: 2)
    return broker
  }

  /// Writes each of `keys`, in this order; the value is the key and how often it was written before.
  private func produce(_ broker: SimulatedBroker, _ partition: Int32, _ keys: [String]) {
    let client = broker.connect()
    var counts: [String: Int] = [:]
    for key in keys {
      var builder = RecordBatchBuilder()
      let value = "\(key) \(counts[key, default: 0])"
      counts[key, default: 0] += 1
      builder.append(
        key: Array(key.utf8), value: Array(value.utf8) + Array(repeating: 32, count: 100),
        timestamp: broker.clock.wallClock())
      client.sendProduce([("orders", partition, builder.build())])
    }
    broker.settle()
    #expect(client.take().allSatisfy { $0.produced[0].errorCode == .none })
    broker.disconnect(client)
  }

  private func values(_ broker: SimulatedBroker, _ partition: Int32) throws -> [String] {
    try broker.readAll("orders", partition).map { String($0.value.prefix { $0 != "\0" }).trimming }
  }

  private let keys = (0..<100).map { "k\($0 % 5)" }

  @Test(arguments: [0, 1]) func oldRecordsOfAKeyGo(shard: Int) throws {
    let broker = try broker()
    let partition = try broker.partition(of: "orders", on: shard)
    produce(broker, partition, keys)
    let before = try broker.readAll("orders", partition)
    #expect(before.count == 100)
    broker.advance(ms: 3000)
    let after = try broker.readAll("orders", partition)
    #expect(after.count > 5 && after.count < 40)
    #expect(Set(after).isSubset(of: before))
    #expect(try Set(values(broker, partition)).isSuperset(of: (0..<5).map { "k\($0) 19" }))
    // What was cleaned is written down: the next start goes on from there.
    let checkpoint = OffsetCheckpoint(
      .cleanerOffset, logDirectory: SimulatedBroker.directory, fileSystem: broker.disk)
    #expect(try checkpoint.read()[TopicPartition("orders", partition)] ?? .zero > Offset(50))
    broker.advance(ms: 10_000)
    let names = try broker.disk.list("/data/orders-\(partition)")
    #expect(!names.contains { $0.hasSuffix(".deleted") || $0.hasSuffix(".cleaned") || $0.hasSuffix(".swap") })
    try broker.crash()
    #expect(try broker.readAll("orders", partition) == after)
  }

  /// The files of a discarded cleaning have the names that the next one gives its own.
  @Test func theNextCleaningWaitsForTheRemovalOfADiscardedOne() throws {
    let broker = try broker()
    produce(broker, 0, keys)
    broker.diskWorkers.stalledLane = .background
    broker.advance(ms: 1500)
    #expect(broker.diskWorkers.waitingCount(.background) == 1)
    let shard = broker.shards[try broker.owner(of: "orders", 0)]
    let hosted = try #require(shard.cleaning?.hosted)
    hosted.partition.log.config.isCompacted = false
    broker.diskWorkers.stalledLane = .prompt
    broker.settle()
    hosted.partition.log.config.isCompacted = true
    broker.advance(ms: 3000)
    #expect(broker.diskWorkers.finished.count { if case .clean = $0 { true } else { false } } == 1)
    broker.diskWorkers.stalledLane = nil
    broker.advance(ms: 3000)
    #expect(broker.diskWorkers.finished.count { if case .clean = $0 { true } else { false } } > 1)
    #expect(try broker.readAll("orders", 0).count < 40)
  }

  @Test func nothingIsCleanedWhereThatIsSwitchedOff() throws {
    let broker = try broker([(name: "log.cleaner.enable", value: "false")])
    produce(broker, 0, keys)
    broker.advance(ms: 5000)
    #expect(try broker.readAll("orders", 0).count == 100)
  }

  @Test func onlyWhatIsOnTheDiskIsCleaned() throws {
    let broker = try broker()
    let client = broker.connect()
    broker.diskWorkers.isStalled = true
    for key in keys {
      var builder = RecordBatchBuilder()
      builder.append(
        key: Array(key.utf8), value: Array(repeating: 32, count: 100), timestamp: broker.clock.wallClock())
      client.sendProduce([("orders", 0, builder.build())], acks: 1)
    }
    broker.settle()
    broker.advance(ms: 3000)
    #expect(broker.diskWorkers.waitingCount(.background) == 0)
  }

  /// A deletion meets a cleaning: the name is free only when that has ended, and what it wrote is nothing to the new topic.
  @Test(arguments: [1, 2]) func aDeletionWaitsForTheCleaningThatItMeets(shards: Int) throws {
    let broker = try SimulatedBroker(shards: shards, settings: Self.settings)
    try broker.create("orders", partitions: 2)
    for partition: Int32 in 0..<2 { produce(broker, partition, keys) }
    broker.diskWorkers.stalledLane = .background
    broker.advance(ms: 2000)
    #expect(broker.diskWorkers.waitingCount(.background) == shards)
    let client = broker.connect()
    client.sendDelete("orders")
    client.sendCreate("orders", partitions: 2)
    broker.settle()
    #expect(client.take().count <= 1, "the topic was made anew under a cleaning")
    broker.diskWorkers.stalledLane = nil
    broker.settle()
    #expect(broker.diskWorkers.cancelled.count == shards)
    broker.advance(ms: 10)
    #expect(client.answers.map(\.topicErrors) == [[.none], [.none]])
    produce(broker, 0, ["new"])
    broker.advance(ms: 5000)
    #expect(try values(broker, 0) == ["new 0"])
  }

  /// `__consumer_offsets` is compacted like any other topic of its policy, and groups know what they committed.
  @Test func theOffsetsOfGroupsAreCompacted() throws {
    let broker = try SimulatedBroker(
      settings: [
        (name: "log.cleaner.backoff.ms", value: "1000"), (name: "offsets.topic.segment.bytes", value: "2000"),
        (name: "offsets.topic.num.partitions", value: "1"), (name: "log.segment.delete.delay.ms", value: "0"),
      ])
    try broker.create("orders")
    let client = broker.connect()
    client.send(.findCoordinator(FindCoordinatorRequest(coordinatorKeys: ["g"])), version: 4, key: .findCoordinator)
    broker.settle()
    _ = client.take()
    for offset in 0..<200 {
      client.sendCommit("g\(offset % 3)", "orders", 0, Int64(offset))
      broker.settle()
    }
    #expect(client.take().allSatisfy { $0.commitErrors == [.none] })
    let log = try #require(broker.shards[0].groupHosts[0]).hosted.partition.log
    let before = log.sizeBytes
    broker.advance(ms: 5000)
    #expect(log.sizeBytes < before / 4)
    try broker.crash()
    let again = broker.connect()
    for group in 0..<3 { again.sendOffsetFetch("g\(group)", "orders", 0) }
    broker.settle()
    #expect(again.take().flatMap(\.committedOffsets) == [198, 199, 197])
  }

  @Test func aCleaningThatFailsIsTriedAgainLaterAndHarmsNothing() throws {
    let broker = try broker()
    produce(broker, 0, keys)
    broker.disk.failWrites(to: ".cleaned", errno: 28)
    broker.advance(ms: 30_000)
    #expect(try broker.readAll("orders", 0).count == 100)
    #expect(broker.haltReason == nil)
    broker.disk.heal()
    broker.advance(ms: 70_000)
    #expect(try broker.readAll("orders", 0).count < 40)
  }
}

extension String {
  /// Without the spaces at its end.
  fileprivate var trimming: String { String(reversed().drop { $0 == " " }.reversed()) }
}
