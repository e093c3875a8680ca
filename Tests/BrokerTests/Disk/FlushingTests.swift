import KafkaProtocol
import Primitives
import Simulation
import TestSupport
import Testing

@testable import Broker

@Suite struct FlushingTests {
  private func broker(_ settings: [(name: String, value: String)] = []) throws -> SimulatedBroker {
    let broker = try SimulatedBroker(shards: 2, settings: settings)
    try broker.create("orders", partitions: 2)
    return broker
  }

  @Test(arguments: [0, 1]) func anAcknowledgedRecordIsOnTheDiskBeforeItIsAnsweredOrSeen(shard: Int) throws {
    let broker = try broker()
    let partition = try broker.partition(of: "orders", on: shard)
    let producer = broker.connect()
    let consumer = broker.connect()
    broker.diskWorkers.isStalled = true
    consumer.sendFetch("orders", partition, from: 0, maxWaitMs: 60_000)
    producer.sendProduce("orders", partition, ["all"], acks: -1)
    broker.settle()
    #expect(producer.take().isEmpty && consumer.take().isEmpty)
    broker.diskWorkers.isStalled = false
    broker.settle()
    #expect(try producer.takeOne().produced[0].errorCode == .none)
    #expect(try consumer.takeOne().fetched[0].records.map(\.value) == ["all"])
  }

  @Test func atAcksOneThePageCacheIsEnoughForTheAnswerNotForAReader() throws {
    let broker = try broker()
    let client = broker.connect()
    broker.diskWorkers.isStalled = true
    client.sendProduce("orders", 0, ["one"], acks: 1)
    client.sendFetch("orders", 0, from: 0)
    broker.settle()
    let answers = client.take()
    #expect(answers[0].produced[0].errorCode == .none)
    #expect(answers[1].fetched[0].records.isEmpty && answers[1].fetched[0].highWatermark == 0)
  }

  @Test func withDurabilityReplicatedThePageCacheIsEnoughForAll() throws {
    let broker = try broker([(name: "durability", value: "replicated")])
    let client = broker.connect()
    broker.diskWorkers.isStalled = true
    client.sendProduce("orders", 0, ["all"], acks: -1)
    client.sendFetch("orders", 0, from: 0)
    broker.settle()
    let answers = client.take()
    #expect(answers[0].produced[0].errorCode == .none)
    #expect(answers[1].fetched[0].records.map(\.value) == ["all"])
  }

  @Test func flushMessagesOfOneMeansFsync() throws {
    let broker = try broker([
      (name: "durability", value: "replicated"), (name: "log.flush.interval.messages", value: "1"),
    ])
    let client = broker.connect()
    broker.diskWorkers.isStalled = true
    client.sendProduce("orders", 0, ["all"], acks: -1)
    broker.settle()
    #expect(client.take().isEmpty)
  }

  /// Group commit: what is written while a flush runs shares the next one.
  @Test func whatComesDuringAFlushSharesTheNext() throws {
    let broker = try broker()
    let clients = (0..<8).map { _ in broker.connect() }
    let partition = try broker.partition(of: "orders", on: 0)
    broker.diskWorkers.isStalled = true
    for client in clients {
      client.sendProduce("orders", partition, ["x"])
      broker.settle()
    }
    #expect(broker.diskWorkers.waitingCount(.flush) == 1)
    broker.diskWorkers.isStalled = false
    #expect(broker.finishOneDiskJob())
    #expect(clients.map { $0.take().count } == [1, 0, 0, 0, 0, 0, 0, 0], "only the first was in the first flush")
    broker.turn(0)
    #expect(broker.diskWorkers.waitingCount(.flush) == 1)
    #expect(broker.finishOneDiskJob())
    broker.settle()
    #expect(clients.dropFirst().allSatisfy { $0.take().count == 1 })
  }

  @Test func aDuplicateWaitsForTheFirstOfIt() throws {
    let broker = try broker()
    let client = broker.connect()
    broker.diskWorkers.isStalled = true
    let once = batch(["once"], producerID: 7, sequence: 0)
    client.sendProduce([("orders", 0, once)], acks: 1)
    client.sendProduce([("orders", 0, once)], acks: -1)
    broker.settle()
    #expect(client.take().count == 1)
    broker.diskWorkers.isStalled = false
    broker.settle()
    #expect(try client.takeOne().produced[0].baseOffset == 0)
  }

  @Test func lookingAtTheEndCountsWhatWasAcknowledgedAtAcksOne() throws {
    let broker = try broker()
    let client = broker.connect()
    client.sendProduce("orders", 0, ["a", "b"], acks: 1)
    client.send(
      .listOffsets(
        ListOffsetsRequest(topics: [.init(name: "orders", partitions: [.init(partitionIndex: 0, timestamp: -1)])])),
      version: 7, key: .listOffsets)
    broker.settle()
    guard case .listOffsets(let body) = client.take()[1].response else { return }
    #expect(body.topics[0].partitions[0].offset == 2)
  }

  @Test func flushMessagesFlushesThoughNobodyWaits() throws {
    let broker = try broker([(name: "log.flush.interval.messages", value: "3")])
    let client = broker.connect()
    broker.diskWorkers.isStalled = true
    for number in 0..<3 {
      client.sendProduce("orders", 0, ["x"], acks: 1)
      broker.settle()
      #expect(broker.diskWorkers.waitingCount(.flush) == (number < 2 ? 0 : 1))
    }
  }

  @Test(arguments: [("ottla.flush.ms.max", "5000"), ("log.flush.interval.ms", "5000")])
  func nothingStaysOffTheDiskForLong(name: String, value: String) throws {
    let broker = try broker([(name: name, value: value)])
    let client = broker.connect()
    client.sendProduce("orders", 0, ["x"], acks: 1)
    broker.settle()
    broker.diskWorkers.isStalled = true
    broker.advance(ms: 4000)
    #expect(broker.diskWorkers.waitingCount(.flush) == 0)
    broker.advance(ms: 1500)
    #expect(broker.diskWorkers.waitingCount(.flush) == 1)
  }

  @Test func nothingGrowsOffTheDiskForEver() throws {
    let broker = try broker([(name: "ottla.flush.bytes.max", value: "1048576")])
    let client = broker.connect()
    broker.diskWorkers.isStalled = true
    for _ in 0..<5 { client.sendProduce("orders", 0, [String(repeating: "x", count: 100_000)], acks: 1) }
    broker.settle()
    broker.advance(ms: 1000)
    #expect(broker.diskWorkers.waitingCount(.flush) == 1)
  }

  /// A file cannot be opened, so that no flush begins: nothing is lost, and whoever waits is told, at once where there is no
  /// room, after some seconds where descriptors are short. When it works again it is flushed, though nobody waits any more.
  @Test(arguments: [(Int32(28), Int64(0)), (24, 5000)])
  func whoWaitsForAFlushThatCannotBeginIsAnswered(errno: Int32, afterMs: Int64) throws {
    let disk = SimulatedDisk(folders: ["/data"])
    let broker = try SimulatedBroker(simulatedDisk: disk)
    try broker.create("orders")
    let client = broker.connect()
    client.sendProduce("orders", 0, ["one"], acks: 1)
    broker.settle()
    #expect(try client.takeOne().produced[0].errorCode == .none)
    disk.fail(call: 1, errno: errno, isLasting: true, calls: [.open], pathPart: "/orders-0/")
    client.sendProduce("orders", 0, ["two"], acks: -1)
    broker.settle()
    if afterMs > 0 {
      broker.advance(ms: afterMs - 1000)
      #expect(client.take().isEmpty)
      broker.advance(ms: 1500)
    }
    #expect(try client.takeOne().produced[0].errorCode == .kafkaStorageError)
    #expect(broker.haltReason == nil)
    disk.heal()
    broker.advance(ms: 40_000)
    #expect(try broker.readAll("orders", 0).map(\.value) == ["one", "two"])
  }

  @Test func aFailedFlushIsNeitherAcknowledgedNorTriedAgain() throws {
    let broker = try broker()
    let client = broker.connect()
    broker.disk.failSyncs(of: "orders-0/")
    client.sendProduce("orders", 0, ["lost?"], acks: -1)
    broker.settle()
    #expect(try client.takeOne().produced[0].errorCode == .kafkaStorageError)
    #expect(broker.haltReason?.contains("fdatasync") == true)
    broker.disk.heal()
    broker.diskWorkers.isStalled = true
    client.sendProduce("orders", 0, ["more"], acks: -1)
    broker.advance(ms: 60_000)
    #expect(try client.takeOne().produced[0].errorCode == .kafkaStorageError)
    #expect(broker.diskWorkers.waitingCount(.flush) == 0)
  }

  /// A file that is being flushed stays open whatever the cache of open files closes: how many there are has a limit too,
  /// and what waits for its turn gets it.
  @Test func flushesHoldAPartOfTheOpenFilesOnly() throws {
    let broker = try SimulatedBroker(settings: [(name: "ottla.open.files.max", value: "16")])
    try broker.create("orders", partitions: 40)
    let client = broker.connect()
    broker.diskWorkers.isStalled = true
    for partition in 0..<40 { client.sendProduce("orders", Int32(partition), ["x"], acks: -1) }
    broker.settle()
    let shard = broker.shards[0]
    #expect(shard.filesBeingFlushedMax == 4)
    #expect((4...6).contains(shard.filesBeingFlushed), "\(shard.filesBeingFlushed)")
    broker.diskWorkers.isStalled = false
    broker.settle()
    let answers = client.take()
    #expect(answers.count == 40 && answers.allSatisfy { $0.produced[0].errorCode == .none })
    #expect(shard.filesBeingFlushed == 0)
  }
}
