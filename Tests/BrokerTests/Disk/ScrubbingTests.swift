import Effects
import KafkaProtocol
import Primitives
import Storage
import TestSupport
import Testing

@testable import Broker

@Suite struct ScrubbingTests {
  private func broker(_ hours: String = "1") throws -> SimulatedBroker {
    let broker = try SimulatedBroker(
      shards: 2,
      settings: [(name: "log.segment.bytes", value: "2000"), (name: "ottla.scrub.interval.hours", value: hours)])
    try broker.create("orders", partitions: 2)
    let client = broker.connect()
    for partition: Int32 in 0..<2 {
      for number in 0..<20 {
        client.sendProduce("orders", partition, ["\(number) " + String(repeating: "r", count: 400)])
      }
    }
    broker.settle()
    return broker
  }

  private func scrubCount(_ broker: SimulatedBroker) -> Int { broker.diskWorkers.finished.count { $0.isScrub } }

  @Test func everyClosedSegmentIsReadAgainOnceARound() throws {
    let broker = try broker()
    let segments = try (0..<2).reduce(0) { count, partition in
      try count + broker.disk.list("/data/orders-\(partition)").count { $0.hasSuffix(".log") } - 1
    }
    #expect(segments > 4)
    broker.advance(ms: Shard.firstRoundMs - 1000)
    #expect(scrubCount(broker) == 0)
    broker.advance(ms: 120_000)
    #expect(scrubCount(broker) == segments)
    #expect(broker.log.contains("of old segments again: 0 are damaged"))
    broker.advance(ms: 1_800_000)
    #expect(scrubCount(broker) == segments)
    broker.advance(ms: 1_800_000)
    #expect(scrubCount(broker) == 2 * segments)
  }

  @Test func whatHasRottedIsReportedByOffsetAndNotServed() throws {
    let broker = try broker()
    let path = "/data/orders-0/00000000000000000000.log"
    let file = try broker.disk.open(path, .readWrite)
    // In the value of the second record of the log.
    let byte: [UInt8] = [0x55]
    try byte.withUnsafeBytes { try file.write($0, at: 700) }
    broker.advance(ms: Shard.firstRoundMs + 120_000)
    #expect(broker.log.contains("orders-0: offsets 1 to 1 at byte"))
    #expect(broker.log.contains("1 are damaged"))
    let client = broker.connect()
    client.sendFetch("orders", 0, from: 1)
    client.sendFetch("orders", 0, from: 2)
    broker.settle()
    let answers = client.take()
    #expect(answers[0].fetched[0].error == .corruptMessage && answers[0].fetched[0].records.isEmpty)
    #expect(answers[1].fetched[0].records.first?.offset == 2)
  }

  @Test func zeroHoursMeanNever() throws {
    let broker = try broker("0")
    broker.advance(ms: 2 * 3_600_000)
    #expect(scrubCount(broker) == 0)
  }
}
