import Cluster
import Effects
import KafkaProtocol
import Primitives
import Replication
import Simulation
import TestSupport
import Testing

@testable import Broker

/// What a power cut takes from a whole broker, case by case; `RandomWalkTests` has the others.
@Suite struct PowerCutTests {
  /// The deletion of a topic is in the metadata, and its folder has its name, and its place in the checkpoints, still: none
  /// of that is a new topic's of this name.
  @Test(arguments: ["/data", "/data,/other"], [false, true])
  func aNewTopicHasNothingOfADeletedOne(directories: String, isMadeBefore: Bool) throws {
    let broker = try SimulatedBroker(
      simulatedDisk: SimulatedDisk(folders: ["/data", "/other"]), settings: [(name: "log.dirs", value: directories)])
    try broker.create("orders")
    let client = broker.connect()
    client.sendProduce("orders", 0, (0..<9).map { "old \($0)" })
    broker.settle()
    client.sendDeleteRecords("orders", 0, before: 8)
    broker.settle()
    broker.diskWorkers.isStalled = true
    client.sendDelete("orders")
    broker.settle()
    #expect(client.take().last?.topicErrors == [.none])
    broker.diskWorkers.isStalled = false
    try broker.cutPower(data: .lost, names: .lost, seed: 1)
    #expect(broker.shards[0].image.topic(named: "orders") == nil)
    if isMadeBefore { try broker.cutPower(data: .lost, names: .lost, seed: 2) }
    try broker.create("orders")
    let again = broker.connect()
    again.sendProduce("orders", 0, (0..<9).map { "new \($0)" })
    broker.settle()
    #expect(try again.takeOne().produced.map(\.errorCode) == [.none])
    try broker.restart()
    #expect(try broker.readAll("orders").map(\.value) == (0..<9).map { "new \($0)" })
    try broker.cutPower(data: .lost, names: .lost, seed: 3)
    #expect(try broker.readAll("orders").map(\.value) == (0..<9).map { "new \($0)" })
  }

  /// The same where the folder got its other name and only the checkpoints have not heard of it: they must have before
  /// there can be a new topic.
  @Test func checkpointsForgetWhatTheyFindGone() throws {
    let disk = SimulatedDisk(folders: ["/data"])
    let broker = try SimulatedBroker(simulatedDisk: disk)
    try broker.create("orders")
    let client = broker.connect()
    client.sendProduce("orders", 0, (0..<9).map { "old \($0)" })
    broker.settle()
    client.sendDeleteRecords("orders", 0, before: 8)
    broker.settle()
    broker.diskWorkers.isStalled = true
    client.sendDelete("orders")
    broker.settle()
    broker.diskWorkers.isStalled = false
    try broker.crash()
    try broker.create("orders")
    let again = broker.connect()
    again.sendProduce("orders", 0, (0..<9).map { "new \($0)" })
    broker.settle()
    try broker.crash()
    #expect(try broker.readAll("orders").map(\.value) == (0..<9).map { "new \($0)" })
  }

  /// A flush that fails for want of room is no full disk: nothing it was to bring there is known to be there.
  @Test func whoWaitsForAFailedFlushIsAnswered() throws {
    let disk = SimulatedDisk(folders: ["/data", "/other"])
    let broker = try SimulatedBroker(simulatedDisk: disk, settings: [(name: "log.dirs", value: "/data,/other")])
    try broker.create("orders", partitions: 8)
    let hosted = try #require(broker.shards[0].hostedPartitions.first { $0.folder == 1 })
    let number = hosted.partition.topicPartition.partition
    let client = broker.connect()
    broker.diskWorkers.isStalled = true
    client.sendProduce("orders", number, ["waits"])
    broker.settle()
    // No room for the next, and what it began cannot be taken back.
    disk.fail(call: 1, errno: 28, effect: .half, calls: [.write], pathPart: "/other/")
    disk.fail(call: 1, errno: 28, calls: [.truncate], pathPart: "/other/")
    client.sendProduce("orders", number, ["fails"])
    broker.settle()
    #expect(client.take().flatMap(\.produced).map(\.errorCode) == [.kafkaStorageError, .kafkaStorageError])
    #expect(!broker.shards[0].isWorking(1) && hosted.waits.isEmpty)
  }

  /// With room again everything goes on by itself, a topic that was made without any too.
  @Test func aTopicMadeOnAFullDiskIsThereWithRoomAgain() throws {
    let disk = SimulatedDisk(folders: ["/data"])
    let broker = try SimulatedBroker(simulatedDisk: disk)
    disk.fail(call: 1, errno: 28, isLasting: true, calls: [.write], pathPart: "/data/orders-0")
    try broker.create("orders")
    let client = broker.connect()
    client.sendProduce("orders", 0, ["refused"])
    broker.settle()
    #expect(try client.takeOne().produced.map(\.errorCode) == [.kafkaStorageError])
    disk.heal()
    broker.advance(ms: 6000)
    client.sendProduce("orders", 0, ["taken"])
    broker.settle()
    #expect(try client.takeOne().produced.map(\.errorCode) == [.none])
    try broker.cutPower(data: .lost, names: .lost, seed: 1)
    #expect(try broker.readAll("orders").map(\.value) == ["taken"])
  }

  /// A log of two segments, of which nothing was flushed, and the kernel brought the second to the disk: it is not served.
  @Test func aYoungLogEndsAtItsFirstHole() throws {
    let disk = SimulatedDisk(folders: ["/data"])
    let broker = try young(disk)
    let client = broker.connect()
    for number in 0..<6 {
      client.sendProduce("orders", 0, [String(repeating: "\(number)", count: 500)], acks: 1)
      broker.settle()
    }
    try disk.open("/data/orders-0/00000000000000000003.log", .readWrite).sync()
    try broker.cutPower(data: .lost, names: .kept, seed: 1)
    #expect(try broker.readAll("orders") == [])
    let again = broker.connect()
    again.sendProduce("orders", 0, ["first"])
    broker.settle()
    #expect(try again.takeOne().produced.map(\.baseOffset) == [0])
  }

  /// What was flushed a second ago and is damaged since, in a segment before the last, is reported, and what lies behind it is
  /// served.
  @Test func damageInAYoungLogThatWasFlushedIsPassedOver() throws {
    let disk = SimulatedDisk(folders: ["/data"])
    let broker = try young(disk)
    let client = broker.connect()
    for number in 0..<3 {
      client.sendProduce("orders", 0, [String(repeating: "\(number)", count: 100)])
      broker.settle()
    }
    broker.advance(ms: 1100)
    disk.flipBit(0, ofByte: 100, in: "/data/orders-0/00000000000000000000.log")
    client.sendProduce("orders", 0, (0..<6).map { String(repeating: "\($0)", count: 280) })
    broker.settle()
    try broker.cutPower(data: .lost, names: .lost, seed: 1)
    let again = broker.connect()
    for offset: Int64 in 0..<3 { again.sendFetch("orders", 0, from: offset) }
    broker.settle()
    #expect(again.take().flatMap(\.fetched).map(\.error) == [.corruptMessage, .none, .none])
  }

  private func young(_ disk: SimulatedDisk) throws -> SimulatedBroker {
    let broker = try SimulatedBroker(simulatedDisk: disk, settings: [(name: "log.segment.bytes", value: "2048")])
    try broker.create("orders")
    return broker
  }

  /// The sync of a change of the metadata fails, and the process is lost: the next one does not build on what memory alone
  /// still shows.
  @Test func metadataThatDidNotReachTheDiskIsNotBuiltUpon() throws {
    let disk = SimulatedDisk(folders: ["/data"], pageByteCount: 32)
    let broker = try SimulatedBroker(simulatedDisk: disk)
    disk.fail(call: 1, effect: .dropsDirtyPages, calls: [.sync], pathPart: "metadata.log")
    let client = broker.connect()
    client.sendCreate("first")
    broker.settle()
    #expect(client.take().flatMap(\.topicErrors) == [.kafkaStorageError])
    disk.heal()
    try broker.crash()
    try broker.create("second")
    try broker.cutPower(data: .lost, names: .lost, seed: 1)
    #expect(broker.shards[0].image.topic(named: "second") != nil)
  }
}
