import Cluster
import Configuration
import Effects
import KafkaProtocol
import Primitives
import Replication
import TestSupport
import Testing

@testable import Broker
@testable import Storage

/// A topic of one partition that brokers of a simulated cluster replicate, made past every controller.
final class ReplicatedTopic {
  static let name = "orders"
  let cluster: SimulatedCluster
  let id = UUID(high: 0x4000, low: 2)
  private(set) var record: PartitionRecord

  init(
    _ replicas: [Int32] = [1, 2, 3], brokers count: Int = 3, configs: [String: String] = [:],
    settings: [(name: String, value: String)] = []
  ) throws {
    let defaults = [
      (name: "log.segment.bytes", value: "2000"), (name: "log.index.interval.bytes", value: "100"),
      (name: "replica.fetch.backoff.ms", value: "100"),
    ]
    cluster = try SimulatedCluster(brokers: count, settings: defaults + settings)
    record = PartitionRecord(
      topicId: id, partitionIndex: 0, replicas: replicas, isr: replicas, leader: 1, leaderEpoch: 1, partitionEpoch: 1)
    let registrations = cluster.brokers.map { broker in
      var record = SimulatedCluster.registration(broker.config.nodeId, epoch: 10)
      record.incarnationId = broker.shards[0].startMode.incarnation
      return MetadataRecord.broker(record)
    }
    let texts = configs.sorted { $0.key < $1.key }.map {
      MetadataRecord.config(ConfigRecord(resourceType: 2, resourceName: Self.name, name: $0.key, value: $0.value))
    }
    apply(registrations + [.topic(TopicRecord(name: Self.name, topicId: id))] + texts + [.partition(record)])
  }

  private func apply(_ records: [MetadataRecord]) {
    for broker in cluster.brokers { broker.apply(records) }
    cluster.settle()
  }

  /// Another state of the partition.
  func change(_ change: (inout PartitionRecord) -> Void) {
    change(&record)
    record.partitionEpoch += 1
    apply([.partition(record)])
  }

  /// Sets a dynamic property of one broker, or takes it away.
  func configure(_ broker: Int32, _ name: String, _ value: String?) {
    apply([.config(ConfigRecord(resourceType: 4, resourceName: "\(broker)", name: name, value: value))])
  }

  subscript(_ broker: Int32) -> SimulatedBroker { cluster[BrokerID(broker)] }

  func hosted(_ broker: Int32) throws -> HostedPartition {
    try #require(self[broker].shards[0].hosted(TopicIDPartition(id, 0)))
  }

  func endOffset(_ broker: Int32) throws -> Int64 { try hosted(broker).partition.log.logEndOffset.value }

  /// Appends records of `byteCount` bytes at the leader, one a batch, and waits until every replica has them.
  func produce(_ count: Int, byteCount: Int = 400) throws {
    let leader = self[record.leader]
    let client = leader.connect()
    for number in 0..<count {
      client.sendProduce(Self.name, 0, ["\(number) " + String(repeating: "r", count: byteCount)])
    }
    cluster.advance(ms: 2000)
    for answer in client.take() { #expect(answer.produced.map(\.errorCode) == [.none]) }
    leader.disconnect(client)
  }

  static let directory = SimulatedBroker.directory + "/orders-0"

  /// The files of batches, in their order.
  func files(_ broker: Int32) throws -> [(path: String, bytes: [UInt8])] {
    try self[broker].disk.list(Self.directory).filter { $0.hasSuffix(".log") }.sorted().map { name in
      let path = Self.directory + "/" + name
      return (path, try self[broker].disk.readAll(path))
    }
  }

  /// Flips a bit in a closed segment, and lets nothing be in memory.
  func flip(_ broker: Int32, segment: Int, at position: Int64) throws {
    let files = try files(broker)
    try #require(segment < files.count - 1, "\(segment) of \(files.count) is not closed")
    let file = try self[broker].disk.open(files[segment].path, .readWrite)
    let byte = [files[segment].bytes[Int(position)] ^ 0x10]
    try byte.withUnsafeBytes { try file.write($0, at: position) }
    self[broker].disk.forgetCache()
  }

  /// Reads everything from one replica, as a consumer; nil where it cannot at the moment.
  func readAll(_ broker: Int32) throws -> [SeenRecord]? {
    let client = self[broker].connect()
    defer { self[broker].disconnect(client) }
    var seen: [SeenRecord] = []
    var next: Int64 = 0
    while true {
      client.sendFetch(Self.name, 0, from: next)
      cluster.settle()
      let part = try #require(try client.takeOne().fetched.first)
      if part.error != .none { return nil }
      guard let end = part.nextOffset else { return seen }
      next = end
      seen += part.records
    }
  }
}

extension Log {
  /// Somebody has put the files right behind the log's back: it knows of no damage any more.
  func forgetDamage() { for segment in segments { segment.damages = [] } }
}
