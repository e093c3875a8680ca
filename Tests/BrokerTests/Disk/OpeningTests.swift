import Primitives
import TestSupport
import Testing

@testable import Broker

@Suite struct OpeningTests {
  /// What a lost process had written may be in the page cache only: it is brought to the disk before anybody sees it.
  @Test func afterACrashNothingIsSeenBeforeItIsOnTheDisk() throws {
    let broker = try SimulatedBroker(shards: 2)
    try broker.create("orders", partitions: 2)
    let client = broker.connect()
    broker.diskWorkers.isStalled = true
    for partition: Int32 in 0..<2 { client.sendProduce("orders", partition, ["one"], acks: 1) }
    broker.settle()
    #expect(client.take().count == 2)
    broker.diskWorkers.isStalled = false
    try broker.crash()
    #expect(broker.diskWorkers.finished.contains { if case .syncAll = $0 { true } else { false } })
    for partition: Int32 in 0..<2 { #expect(try broker.readAll("orders", partition).map(\.value) == ["one"]) }
  }

  @Test func afterAStopInOrderThereIsNothingToSync() throws {
    let broker = try SimulatedBroker()
    try broker.create("orders")
    try broker.restart()
    #expect(!broker.diskWorkers.finished.contains { if case .syncAll = $0 { true } else { false } })
  }

  @Test func aLongStartSaysHowFarItIs() throws {
    let broker = try SimulatedBroker()
    try broker.create("orders", partitions: 5)
    #expect(!broker.log.all.contains { $0.contains("has opened") }, "topics that are made later are no start")
    // Each look at the clock takes half a second.
    broker.clock.stepMs = 500
    try broker.restart()
    broker.clock.stepMs = 0
    #expect(broker.log.all.contains { $0.contains("has opened 2 of 5 logs") })
  }
}
