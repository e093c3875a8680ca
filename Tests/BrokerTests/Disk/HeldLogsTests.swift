import Cluster
import Coordination
import KafkaProtocol
import Primitives
import Storage
import TestSupport
import Testing

@testable import Broker

/// What a broker does that is not the controller: it hears of changes one after the other, whether it is ready for them or not.
@Suite struct HeldLogsTests {
  private let orders = TopicPartition("orders", 0)
  private var folder: String { SimulatedBroker.directory + "/orders-0" }

  /// A broker whose checkpoint files say that orders-0 begins at 3.
  private func broker(shards: Int) throws -> SimulatedBroker {
    let broker = try SimulatedBroker(shards: shards)
    try broker.create("orders")
    let client = broker.connect()
    for _ in 0..<5 { client.sendProduce("orders", 0, ["old"]) }
    client.sendDeleteRecords("orders", 0, before: 3)
    broker.settle()
    broker.advance(ms: 61_000)
    for name in [OffsetCheckpoint.Name.logStartOffset, .recoveryPoint] {
      try #require(try lines(name, broker)[orders] != nil)
    }
    return broker
  }

  private func lines(_ name: OffsetCheckpoint.Name, _ broker: SimulatedBroker) throws -> [TopicPartition: Offset] {
    try OffsetCheckpoint(name, logDirectory: SimulatedBroker.directory, fileSystem: broker.disk).read()
  }

  /// Brings records into the metadata log, and to this broker, past its own controller.
  private func hear(_ records: [MetadataRecord], _ broker: SimulatedBroker) throws {
    let shard = broker.shards[0]
    let host = try #require(shard.controllerHost)
    shard.beginTurn()
    host.coordination.append(records, token: shard.makeToken())
    shard.pollCoordination()
    _ = shard.endTurn()
  }

  /// orders is deleted and made anew, with an id that another shard owns the partition by where there are two.
  private func recreation(_ broker: SimulatedBroker) throws -> [MetadataRecord] {
    let image = broker.shards[0].image
    let old = try #require(image.topic(named: "orders")?.id)
    let new = UUID(high: old.high, low: old.low ^ 1)
    return image.snapshotRecords().compactMap { record -> MetadataRecord? in
      switch record {
      case .topic(var topic) where topic.topicId == old:
        topic.topicId = new
        return .topic(topic)
      case .partition(var partition) where partition.topicId == old:
        partition.topicId = new
        return .partition(partition)
      default: return nil
      }
    }
  }

  private func deletion(_ broker: SimulatedBroker) throws -> MetadataRecord {
    .removeTopic(RemoveTopicRecord(topicId: try #require(broker.shards[0].image.topic(named: "orders")?.id)))
  }

  @Test(arguments: [1, 2], [false, true])
  func aNewTopicUnderAnOldNameIsNotMadeBeforeTheFilesHaveForgottenIt(shards: Int, isOneChange: Bool) throws {
    let broker = try broker(shards: shards)
    let deletion = try deletion(broker)
    let creation = try recreation(broker)
    broker.diskWorkers.isStalled = true
    if isOneChange {
      try hear([deletion] + creation, broker)
    } else {
      try hear([deletion], broker)
      try hear(creation, broker)
    }
    broker.settle()
    #expect(!broker.disk.exists(folder), "a crash now would give the new log the old one's start")
    let client = broker.connect()
    client.sendProduce("orders", 0, ["no"])
    broker.settle()
    #expect(try client.takeOne().produced[0].errorCode == .notLeaderOrFollower)

    broker.diskWorkers.isStalled = false
    try broker.crash()
    #expect(try broker.readAll("orders").isEmpty)
    let again = broker.connect()
    for _ in 0..<4 { again.sendProduce("orders", 0, ["new"]) }
    broker.settle()
    try broker.crash()
    #expect(try broker.readAll("orders") == (0..<4).map { SeenRecord(offset: $0, value: "new") })
  }

  @Test(arguments: [1, 2]) func itIsMadeAsSoonAsTheyHave(shards: Int) throws {
    let broker = try broker(shards: shards)
    let records = [try deletion(broker)] + (try recreation(broker))
    try hear(records, broker)
    broker.settle()
    broker.advance(ms: 5)
    for name in OffsetCheckpoint.Name.allCases { #expect(try lines(name, broker)[orders] == nil) }
    let client = broker.connect()
    client.sendProduce("orders", 0, ["new"])
    broker.settle()
    #expect(try client.takeOne().produced.map(\.baseOffset) == [0])
    try broker.crash()
    #expect(try broker.readAll("orders") == [SeenRecord(offset: 0, value: "new")])
  }

  /// The shard that had the old log has not heard of its end: its folder is still in use.
  @Test func itIsNotMadeWhileAnotherShardHasTheOldOneOpen() throws {
    let broker = try broker(shards: 2)
    // The keeper of the files hears first; it must be the other one that has the log.
    if try broker.owner(of: "orders", 0) == 0 {
      try hear([try deletion(broker)] + (try recreation(broker)), broker)
      broker.settle()
      broker.advance(ms: 5)
    }
    try #require(try broker.owner(of: "orders", 0) == 1)
    let records = [try deletion(broker)] + (try recreation(broker))
    try hear(records, broker)
    for _ in 0..<20 {
      broker.turn(0)
      _ = broker.finishDiskJobs()
      broker.clock.advance(ms: 1)
    }
    #expect(try Log.topicID(inFolder: folder, fileSystem: broker.disk) == records.oldID)
    broker.settle()
    broker.advance(ms: 5)
    #expect(try Log.topicID(inFolder: folder, fileSystem: broker.disk) == records.newID)
  }

  @Test func aReplicaThatWentAndComesBackIsNotMadeBeforeTheyHaveEither() throws {
    let broker = try broker(shards: 2)
    let image = broker.shards[0].image
    let id = try #require(image.topic(named: "orders")?.id)
    let here = try #require(
      image.snapshotRecords().compactMap { record -> PartitionRecord? in
        if case .partition(let partition) = record, partition.topicId == id { partition } else { nil }
      }.first)
    var away = here
    away.replicas = [7]
    away.isr = [7]
    away.leader = 7
    away.leaderEpoch += 1
    away.partitionEpoch += 1
    var back = here
    back.leaderEpoch += 2
    back.partitionEpoch += 2
    broker.diskWorkers.isStalled = true
    try hear([.partition(away)], broker)
    broker.settle()
    try hear([.partition(back)], broker)
    broker.settle()
    #expect(!broker.disk.exists(folder))
    broker.diskWorkers.isStalled = false
    broker.settle()
    broker.advance(ms: 5)
    #expect(broker.disk.exists(folder))
    for name in OffsetCheckpoint.Name.allCases { #expect(try lines(name, broker)[orders] == nil) }
    let client = broker.connect()
    client.sendProduce("orders", 0, ["new"])
    broker.settle()
    #expect(try client.takeOne().produced.map(\.baseOffset) == [0])
  }

  /// The files were left speaking of it by the run before.
  @Test(arguments: [1, 2]) func aStartWaitsForThemToo(shards: Int) throws {
    let broker = try broker(shards: shards)
    try broker.restart {
      try broker.disk.removeDirectory(folder)
      broker.disk.failWrites(to: OffsetCheckpoint.Name.logStartOffset.rawValue, errno: 28)
    }
    #expect(!broker.disk.exists(folder))
    broker.disk.heal()
    broker.advance(ms: 6000)
    #expect(broker.disk.exists(folder))
    let client = broker.connect()
    client.sendProduce("orders", 0, ["new"])
    broker.settle()
    #expect(try client.takeOne().produced.map(\.baseOffset) == [0])
    try broker.crash()
    #expect(try broker.readAll("orders") == [SeenRecord(offset: 0, value: "new")])
  }
}

extension [MetadataRecord] {
  fileprivate var oldID: UUID? {
    compactMap { if case .removeTopic(let topic) = $0 { topic.topicId } else { nil } }.first
  }
  fileprivate var newID: UUID? { compactMap { if case .topic(let topic) = $0 { topic.topicId } else { nil } }.first }
}
