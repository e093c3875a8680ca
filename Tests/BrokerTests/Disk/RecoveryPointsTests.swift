import Effects
import Primitives
import Simulation
import Storage
import TestSupport
import Testing

@testable import Broker

@Suite struct RecoveryPointsTests {
  private let path = "/data/recovery-point-offset-checkpoint"

  private func points(_ broker: SimulatedBroker) throws -> [Int64?] {
    let fileSystem: any FileSystem = broker.simulatedDisk ?? broker.disk
    let read = try OffsetCheckpoint(.recoveryPoint, logDirectory: "/data", fileSystem: fileSystem).read()
    return (0..<4).map { read[TopicPartition("orders", $0)]?.value }
  }

  private func writings(_ broker: SimulatedBroker) -> Int {
    broker.diskWorkers.finished.count { if case .checkpoint(.recoveryPoint, _, _) = $0 { true } else { false } }
  }

  private func produce(_ broker: SimulatedBroker, partitions: Range<Int32> = 0..<4, acks: Int16 = -1) {
    let client = broker.connect()
    for partition in partitions { client.sendProduce("orders", partition, ["a", "b"], acks: acks) }
    broker.settle()
  }

  @Test func theFirstFlushesAreNotedTogetherAndSoon() throws {
    let broker = try SimulatedBroker()
    try broker.create("orders", partitions: 4)
    produce(broker, partitions: 0..<3)
    broker.advance(ms: 500)
    produce(broker, partitions: 3..<4)
    #expect(try points(broker) == [nil, nil, nil, nil])
    let before = writings(broker)
    broker.advance(ms: 600)
    #expect(try points(broker) == [2, 2, 2, 2])
    #expect(writings(broker) == before + 1)
    // What comes then waits for the clock.
    produce(broker)
    broker.advance(ms: 5000)
    #expect(try points(broker) == [2, 2, 2, 2])
    broker.advance(ms: 60_000)
    #expect(try points(broker) == [4, 4, 4, 4])
  }

  @Test func whatNobodyFlushedIsNotNoted() throws {
    let broker = try SimulatedBroker()
    try broker.create("orders", partitions: 4)
    produce(broker, acks: 1)
    broker.advance(ms: 5000)
    #expect(try points(broker) == [nil, nil, nil, nil])
    // `ottla.flush.ms.max`, and a second.
    broker.advance(ms: 27_000)
    #expect(try points(broker) == [2, 2, 2, 2])
  }

  @Test func aLogThatIsDeletedMeanwhileIsNotNoted() throws {
    let broker = try SimulatedBroker()
    try broker.create("orders", partitions: 4)
    produce(broker)
    broker.connect().sendDelete("orders")
    broker.settle()
    try broker.create("orders", partitions: 4)
    broker.advance(ms: 2000)
    #expect(try points(broker) == [nil, nil, nil, nil])
  }

  /// A log that was moved here while the broker was stopped, and a folder that lost its file.
  @Test(arguments: [false, true]) func aCleanStartNotesWhatTheFileDoesNotName(isFileThere: Bool) throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 4)
    produce(broker)
    try broker.restart {
      if isFileThere {
        try OffsetCheckpoint(.recoveryPoint, logDirectory: "/data", fileSystem: broker.disk).write([:])
      } else {
        try broker.disk.removeFile(path)
      }
    }
    #expect(try points(broker) == [2, 2, 2, 2])
  }

  /// With some lines the file would say of the other logs that they were never flushed: none of it before all are told.
  @Test func aFileThatIsGoneComesBackWhole() throws {
    let disk = SimulatedDisk(folders: ["/data"])
    let broker = try SimulatedBroker(shards: 2, simulatedDisk: disk)
    try broker.create("orders", partitions: 4)
    produce(broker)
    try disk.removeFile(path)
    let offline = try broker.partition(of: "orders", on: 1)
    disk.fail(call: 1, errno: 24, isLasting: true, calls: [.open], pathPart: "/orders-\(offline)/")
    try broker.crash()
    #expect(broker.shards[1].hasOfflinePartition && !disk.exists(path))
    produce(broker)
    broker.advance(ms: 70_000)
    #expect(!disk.exists(path))
    // A name is free again: a file that is not there has nothing to forget.
    try broker.create("other")
    let client = broker.connect()
    client.sendDelete("other")
    client.sendCreate("other")
    broker.settle()
    #expect(client.take().map(\.topicErrors) == [[.none], [.none]])
    disk.heal()
    broker.advance(ms: 3000)
    #expect(try points(broker).allSatisfy { $0 ?? 0 >= 2 })
  }
}
