import Cluster
import Coordination
import Effects
import KafkaProtocol
import Primitives
import Simulation
import Storage
import TestSupport
import Testing

@testable import Broker

/// Folders under a partition's name that must not be taken for its log.
@Suite struct StraysTests {
  private let folder = "/data/orders-0"

  private func broker(_ disk: SimulatedDisk) throws -> SimulatedBroker {
    let broker = try SimulatedBroker(simulatedDisk: disk)
    try broker.create("orders")
    return broker
  }

  /// Three records that nobody flushes, and that the kernel brings to the disk: with the names, without the topic's id.
  private func writeUnflushed(_ broker: SimulatedBroker, _ disk: SimulatedDisk) throws {
    let client = broker.connect()
    for number in 0..<3 { client.sendProduce("orders", 0, ["old \(number)"], acks: 1) }
    broker.settle()
    try disk.open(folder + "/00000000000000000000.log", .readWrite).sync()
    try disk.syncDirectory(folder)
    try disk.syncDirectory("/data")
    // The start before this one has synced it.
    disk.setContents(folder + "/partition.metadata", [])
  }

  /// orders is deleted and made anew in one change, which the disk threads of this broker do nothing about yet.
  private func recreate(_ broker: SimulatedBroker) throws {
    let shard = broker.shards[0]
    let old = try #require(shard.image.topic(named: "orders")?.id)
    let new = UUID(high: old.high, low: old.low ^ 1)
    var records: [MetadataRecord] = [.removeTopic(RemoveTopicRecord(topicId: old))]
    for record in shard.image.snapshotRecords() {
      switch record {
      case .topic(var topic) where topic.topicId == old:
        topic.topicId = new
        records.append(.topic(topic))
      case .partition(var partition) where partition.topicId == old:
        partition.topicId = new
        records.append(.partition(partition))
      default: break
      }
    }
    let host = try #require(shard.controllerHost)
    broker.diskWorkers.isStalled = true
    shard.beginTurn()
    host.coordination.append(records, token: shard.makeToken())
    shard.pollCoordination()
    _ = shard.endTurn()
    broker.settle()
    broker.diskWorkers.isStalled = false
  }

  private func strays(_ broker: SimulatedBroker) throws -> [String] {
    try #require(broker.simulatedDisk).list("/data").filter { $0.hasSuffix("-stray") }
  }

  /// Twice: the second stray does not take the place of the first.
  @Test func unflushedRecordsOfADeletedTopicAreNotTheNewOnes() throws {
    let disk = SimulatedDisk(folders: ["/data"])
    let broker = try broker(disk)
    for turn in 1...2 {
      try writeUnflushed(broker, try #require(broker.simulatedDisk))
      try recreate(broker)
      try broker.cutPower(data: .lost, names: .lost, seed: UInt64(turn))
      #expect(try broker.readAll("orders").isEmpty)
      #expect(try strays(broker).count == turn)
      try broker.crash()
      #expect(try broker.readAll("orders").isEmpty)
      #expect(try strays(broker).count == turn)
    }
    let client = broker.connect()
    client.sendProduce("orders", 0, ["new"])
    broker.settle()
    #expect(try client.takeOne().produced.map(\.baseOffset) == [0])
    try broker.cutPower(data: .lost, names: .lost, seed: 3)
    #expect(try broker.readAll("orders").map(\.value) == ["new"])
  }

  /// What was flushed is of the topic that the metadata knows: its file was on the disk, and is damaged.
  @Test(arguments: [false, true]) func aFlushedLogIsKeptWithoutItsTopicsId(isClean: Bool) throws {
    let broker = try broker(SimulatedDisk(folders: ["/data"]))
    let client = broker.connect()
    client.sendProduce("orders", 0, ["kept"])
    broker.settle()
    broker.advance(ms: 61_000)
    let disk = try #require(broker.simulatedDisk)
    if isClean {
      try broker.restart { disk.setContents(folder + "/partition.metadata", []) }
    } else {
      disk.setContents(folder + "/partition.metadata", [])
      try broker.crash()
    }
    #expect(try broker.readAll("orders").map(\.value) == ["kept"])
    #expect(try strays(broker).isEmpty)
  }

  /// What cannot be set aside is not taken, and not removed either.
  @Test func aStrayThatCannotBeRenamedKeepsThePartitionOffline() throws {
    let broker = try broker(SimulatedDisk(folders: ["/data"]))
    let client = broker.connect()
    client.sendProduce("orders", 0, ["another's"])
    broker.settle()
    let disk = try #require(broker.simulatedDisk)
    let id = UUID(high: 7, low: 7)
    try broker.restart {
      disk.setContents(folder + "/partition.metadata", Array("version: 0\ntopic_id: \(id)".utf8))
      disk.fail(call: 1, errno: 30, isLasting: true, calls: [.rename], pathPart: folder)
    }
    let again = broker.connect()
    again.sendProduce("orders", 0, ["new"])
    broker.settle()
    #expect(try again.takeOne().produced.map(\.errorCode) == [.kafkaStorageError])
    #expect(try Log.topicID(inFolder: folder, fileSystem: disk) == id)
    #expect(disk.exists(folder + "/00000000000000000000.log"))
  }
}
