import Cluster
import KafkaProtocol
import Primitives
import Simulation
import Storage
import TestSupport
import Testing

@testable import Broker

@Suite struct DataFoldersTests {
  private func broker(_ settings: [(name: String, value: String)] = []) throws -> SimulatedBroker {
    let broker = try SimulatedBroker(
      shards: 2, settings: [(name: "log.dirs", value: "/data,/data2")] + settings)
    try broker.create("orders", partitions: 6)
    return broker
  }

  /// The partitions that a folder holds.
  private func partitions(_ broker: SimulatedBroker, in folder: String) throws -> [Int32] {
    try broker.disk.list(folder).compactMap { $0.hasPrefix("orders-") ? Int32($0.dropFirst(7)) : nil }.sorted()
  }

  private func produce(_ broker: SimulatedBroker, _ client: SimulatedClient) -> [ErrorCode] {
    for partition: Int32 in 0..<6 { client.sendProduce("orders", partition, ["x"]) }
    broker.settle()
    return client.take().map { $0.produced[0].errorCode }
  }

  @Test func aFolderThatFailsTakesItsPartitionsWithItAndNoOthers() throws {
    let broker = try broker()
    let second = try partitions(broker, in: "/data2")
    #expect(second.count > 0 && second.count < 6)
    let client = broker.connect()
    #expect(produce(broker, client) == Array(repeating: .none, count: 6))
    broker.disk.failWrites(to: "/data2/orders-\(second[0])/")
    client.sendProduce("orders", second[0], ["x"])
    broker.settle()
    _ = client.take()
    broker.disk.heal()
    #expect(produce(broker, client) == (0..<6).map { second.contains($0) ? .kafkaStorageError : .none })
    #expect(broker.haltReason == nil)
    for partition: Int32 in 0..<6 { client.sendFetch("orders", partition, from: 0) }
    broker.settle()
    #expect(
      client.take().map { $0.fetched[0].error } == (0..<6).map { second.contains($0) ? .kafkaStorageError : .none })
    #expect(try describe(broker) == ["/data": ErrorCode.none, "/data2": .kafkaStorageError])
    // New partitions go to the folder that works.
    try broker.create("later", partitions: 4)
    #expect(try broker.disk.list("/data").filter { $0.hasPrefix("later-") }.count == 4)
  }

  /// What the failed folder had not flushed may be gone, and its own disk takes no note of that: another start must not
  /// tell the cluster that the process only died.
  @Test(arguments: [false, true]) func aFolderThatFailsLeavesANoteInTheOthers(isFlush: Bool) throws {
    let broker = try broker()
    func lastRun() throws -> LastRun { try RunEnding(of: ["/data", "/data2"], boot: broker.boot, broker.disk).lastRun }
    #expect(try lastRun() == .killed)
    let second = try partitions(broker, in: "/data2")[0]
    if isFlush { broker.disk.failSyncs(of: "/data2/") } else { broker.disk.failWrites(to: "/data2/") }
    let client = broker.connect()
    client.sendProduce("orders", second, ["x"])
    broker.settle()
    #expect(try client.takeOne().produced[0].errorCode == .kafkaStorageError)
    #expect(try !BootMark.isCurrent(broker.boot, in: "/data", broker.disk) && lastRun() == .lost)
    #expect(broker.haltReason == nil)
    broker.disk.heal()
    // The start that has told the cluster begins a new account.
    try broker.crash()
    #expect(try lastRun() == .killed)
  }

  /// A folder that fails while the broker starts is not forgotten by the note that this start leaves.
  @Test func aFolderThatFailsDuringTheStartIsNotCoveredUp() throws {
    let disk = SimulatedDisk(folders: ["/data", "/data2"])
    let broker = try SimulatedBroker(
      shards: 2, simulatedDisk: disk, settings: [(name: "log.dirs", value: "/data,/data2")])
    try broker.create("orders", partitions: 6)
    // The start's own sync of everything, before the shards'.
    disk.fail(call: 4, calls: [.syncAll])
    try broker.crash()
    #expect(!broker.shards[0].isWorking(1) && broker.haltReason == nil)
    #expect(try RunEnding(of: ["/data", "/data2"], boot: broker.boot, disk).lastRun == .lost)
  }

  private func describe(_ broker: SimulatedBroker) throws -> [String: ErrorCode] {
    let client = broker.connect(to: 1)
    client.send(.describeLogDirs(DescribeLogDirsRequest(topics: nil)), version: 4, key: .describeLogDirs)
    broker.settle()
    guard case .describeLogDirs(let body) = try client.takeOne().response else { return [:] }
    return Dictionary(uniqueKeysWithValues: body.results.map { ($0.logDir, $0.errorCode) })
  }

  @Test func withoutTheFolderOfTheMetadataTheBrokerEnds() throws {
    let broker = try broker()
    let first = try partitions(broker, in: "/data")[0]
    broker.disk.failWrites(to: "/data/orders-\(first)/")
    let client = broker.connect()
    client.sendProduce("orders", first, ["x"])
    broker.settle()
    #expect(broker.haltReason?.contains("cluster's metadata") == true)
  }

  @Test func littleRoomIsWarnedOfAndNoRoomIsToldUntilThereIsSome() throws {
    let broker = try SimulatedBroker(
      shards: 2,
      settings: [
        (name: "ottla.disk.free.bytes.low", value: "2000"), (name: "ottla.disk.free.bytes.min", value: "1000"),
      ])
    try broker.create("orders", partitions: 6)
    let client = broker.connect()
    #expect(produce(broker, client) == Array(repeating: .none, count: 6))
    broker.disk.setSpace(totalBytes: 10_000, usableBytes: 1500)
    broker.advance(ms: 6000)
    #expect(broker.log.all.contains { $0.contains("WARN") || $0.contains("warn") })
    #expect(produce(broker, client) == Array(repeating: .none, count: 6))
    broker.disk.setSpace(totalBytes: 10_000, usableBytes: 999)
    broker.advance(ms: 6000)
    #expect(produce(broker, client) == Array(repeating: .kafkaStorageError, count: 6))
    #expect(try broker.readAll("orders", 3).count == 2, "reading goes on")
    try broker.create("more")
    client.sendDelete("more")
    broker.settle()
    #expect(try client.takeOne().topicErrors == [.none], "so do the cluster's own changes")
    broker.disk.setSpace(totalBytes: 10_000, usableBytes: 1001)
    broker.advance(ms: 2000)
    #expect(produce(broker, client) == Array(repeating: .none, count: 6))
  }

  @Test(arguments: [("tenth", Int64(99), false), ("tenth", 101, true)])
  func theMarksComeFromTheSizeOfTheDiskWhereNoneAreSet(name: String, freePermille: Int64, isEnough: Bool) throws {
    let broker = try SimulatedBroker()
    broker.disk.setSpace(totalBytes: 10_000_000, usableBytes: freePermille * 10_000)
    broker.advance(ms: 6000)
    #expect(broker.shards[0].folders == [.working(isEnough ? .enough : .low)])
  }

  /// A folder failed; its topic was made anew elsewhere; after a repair the old folder is back, with what it said.
  @Test func afterARepairTheOldFolderDoesNotHideTheNewTopic() throws {
    let broker = try broker()
    let lost = try partitions(broker, in: "/data2")[0]
    let client = broker.connect()
    for _ in 0..<3 { client.sendProduce("orders", lost, ["old"]) }
    broker.settle()
    client.sendDeleteRecords("orders", lost, before: 2)
    broker.settle()
    broker.disk.failWrites(to: "/data2/orders-\(lost)/")
    client.sendProduce("orders", lost, ["x"])
    broker.settle()
    client.sendDelete("orders")
    broker.settle()
    client.sendCreate("orders", partitions: 6)
    broker.settle()
    for _ in 0..<3 { client.sendProduce("orders", lost, ["new"]) }
    broker.settle()
    #expect(client.take().suffix(3).map { $0.produced[0].errorCode } == [.none, .none, .none])
    broker.disk.heal()
    try broker.restart()
    #expect(try broker.readAll("orders", lost) == (0..<3).map { SeenRecord(offset: $0, value: "new") })
  }
}
