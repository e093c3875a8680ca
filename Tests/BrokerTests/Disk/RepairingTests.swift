import Effects
import KafkaProtocol
import Primitives
import Replication
import Storage
import TestSupport
import Testing

@testable import Broker

/// Damage that a broker finds in what it has, and gets right from another one.
@Suite struct RepairingTests {
  private func topic() throws -> ReplicatedTopic {
    let topic = try ReplicatedTopic()
    try topic.produce(20)
    for broker: Int32 in 1...3 { try #require(try topic.endOffset(broker) == 20) }
    return topic
  }

  private func expectWhole(_ topic: ReplicatedTopic, _ brokers: [Int32] = [1, 2, 3]) throws {
    for broker in brokers {
      #expect(try topic.readAll(broker)?.map(\.offset) == Array(0..<20), "broker \(broker)")
      #expect(try topic.files(broker).map(\.bytes) == topic.files(1).map(\.bytes), "broker \(broker)")
      #expect(topic[broker].shards[0].repairing.waiting.allSatisfy { $0.hosted.partition.log.damagedPlace == nil })
    }
  }

  @Test(arguments: [1, 2] as [Int32]) func aReplicaIsMadeWholeFromAnother(damaged: Int32) throws {
    let topic = try topic()
    let before = try topic.readAll(damaged)
    try topic.flip(damaged, segment: 1, at: 700)
    #expect(try topic.readAll(damaged) == nil, "a damaged batch is not served")
    topic.cluster.advance(ms: 1500)
    #expect(try topic.readAll(damaged) == before)
    try expectWhole(topic)
    #expect(topic[damaged].log.contains("and they are served again"))
  }

  @Test func allReplicasAreDamagedInDifferentPlaces() throws {
    let topic = try topic()
    for broker: Int32 in 1...3 { try topic.flip(broker, segment: Int(broker), at: 100 + 300 * Int64(broker)) }
    for broker: Int32 in 1...3 { #expect(try topic.readAll(broker) == nil) }
    topic.cluster.advance(ms: 10_000)
    try expectWhole(topic)
  }

  @Test func severalPlacesOfOneReplicaComeOneAfterTheOther() throws {
    let topic = try topic()
    for segment in 0..<3 { try topic.flip(3, segment: segment, at: 80) }
    for _ in 0..<8 {
      _ = try topic.readAll(3)
      topic.cluster.advance(ms: 1500)
    }
    try expectWhole(topic)
  }

  @Test func whatNobodyHasIsTriedAgain() throws {
    let topic = try topic()
    let sound = try topic.files(2)[1]
    for broker: Int32 in 1...3 { try topic.flip(broker, segment: 1, at: 700) }
    for broker: Int32 in 1...3 { _ = try topic.readAll(broker) }
    topic.cluster.advance(ms: 20_000)
    for broker: Int32 in 1...3 { #expect(try topic.readAll(broker) == nil) }
    #expect(topic[2].log.contains("cannot be had from broker 1"))
    // Somebody brings a copy.
    let file = try topic[2].disk.open(sound.path, .readWrite)
    try sound.bytes.withUnsafeBytes { try file.write($0, at: 0) }
    try topic.hosted(2).partition.log.forgetDamage()
    topic.cluster.advance(ms: 200_000)
    try expectWhole(topic)
  }

  @Test func recordsThatAreLaidOutDifferentlyElsewhereAreNotTaken() throws {
    let topic = try topic()
    // The leader has the first two records of a segment in one batch, as after a cleaning.
    let file = try topic.files(1)[1]
    let first = try #require(nextBatch(file.bytes))
    let second = first + (try #require(nextBatch(Array(file.bytes[first...]))))
    let found = (0..<1000).lazy.map { batch(["a", String(repeating: "b", count: $0)]) }.first { $0.count == second }
    var merged = try #require(found)
    merged.replaceSubrange(0..<8, with: file.bytes[0..<8])
    merged.replaceSubrange(12..<16, with: file.bytes[12..<16])
    let target = try topic[1].disk.open(file.path, .readWrite)
    try merged.withUnsafeBytes { try target.write($0, at: 0) }
    let damaged = try topic.files(2)
    try topic.flip(2, segment: 1, at: Int64(first) + 100)
    #expect(try topic.readAll(2) == nil)
    topic.cluster.advance(ms: 60_000)
    #expect(try topic.readAll(2) == nil, "it stays reported")
    #expect(topic[2].log.contains("cannot be had from broker 1: what it has is laid out differently"))
    #expect(topic[2].log.all.count { $0.contains("laid out differently") && $0.contains("tried again") } == 1)
    let after = try topic.files(2)[1].bytes
    #expect(zip(after, damaged[1].bytes).count { $0 != $1 } == 1, "nothing is written")
  }

  @Test func aPartitionWithoutOtherReplicasAsksNobody() throws {
    let topic = try ReplicatedTopic([1], brokers: 2)
    try topic.produce(20)
    try topic.flip(1, segment: 1, at: 700)
    #expect(try topic.readAll(1) == nil)
    let dials = topic.cluster.network.dialCount
    topic.cluster.advance(ms: 20_000)
    #expect(topic.cluster.network.dialCount == dials)
    #expect(try topic.readAll(1) == nil)
  }

  @Test func aDamagedHeaderIsFoundAndMadeWhole() throws {
    let topic = try topic()
    // The length of the second batch of the segment: nobody can walk beyond it.
    let size = try #require(nextBatch(try topic.files(2)[1].bytes))
    try topic.flip(2, segment: 1, at: Int64(size) + 9)
    _ = try topic.readAll(2)
    topic.cluster.advance(ms: 3000)
    try expectWhole(topic)
  }

  private func nextBatch(_ bytes: [UInt8]) -> Int? {
    guard bytes.count > 12 else { return nil }
    return 12 + bytes[8..<12].reduce(0) { $0 << 8 | Int($1) }
  }

  @Test func aDamagedBatchIsNeverReplicated() throws {
    // Broker 3 begins empty, and copies from a leader that is damaged in the middle and cannot be repaired.
    let topic = try ReplicatedTopic([1])
    try topic.produce(20)
    try topic.flip(1, segment: 1, at: 700)
    topic.change { $0.replicas = [1, 3] }
    topic.cluster.advance(ms: 3000)
    let end = try topic.endOffset(3)
    #expect(end > 0 && end < 20, "it stops before the damage: \(end)")
    for (copy, source) in zip(try topic.files(3), try topic.files(1)) { #expect(source.bytes.starts(with: copy.bytes)) }
    // The leader's damage goes: the follower goes on by itself.
    try topic.flip(1, segment: 1, at: 700)
    try topic.hosted(1).partition.log.forgetDamage()
    topic.cluster.advance(ms: 3000)
    #expect(try topic.endOffset(3) == 20)
  }

  @Test func aCutWaitsForWhatIsBeingWritten() throws {
    let topic = try topic()
    try topic.flip(2, segment: 1, at: 700)
    #expect(try topic.readAll(2) == nil)
    topic[2].diskWorkers.stalledLane = .prompt
    topic.cluster.advance(ms: 1500)
    #expect(try topic.hosted(2).isBeingRepaired)
    // Another history: broker 3 leads, and has nothing.
    topic.change {
      $0.leader = 3
      $0.leaderEpoch = 7
    }
    try topic.hosted(3).partition.log.truncate(to: Offset(2), now: .init(milliseconds: 1))
    topic.cluster.advance(ms: 1000)
    #expect(try topic.endOffset(2) == 20, "it is not cut yet")
    topic[2].diskWorkers.stalledLane = nil
    topic.cluster.advance(ms: 1000)
    #expect(try topic.endOffset(2) == 2)
  }
}
