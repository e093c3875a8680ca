import Cluster
import KafkaProtocol
import Primitives
import TestSupport
import Testing

@testable import Broker

/// A broker of a cluster, which is its own controller here.
@Suite struct LostReplicasTests {
  private static let member = [(name: "zookeeper.connect", value: "ensemble:2181")]

  private func broker(shards: Int = 2, _ settings: [(name: String, value: String)] = []) throws -> SimulatedBroker {
    try SimulatedBroker(shards: shards, settings: Self.member + settings)
  }

  private func partitions(_ broker: SimulatedBroker) throws -> [PartitionImage] {
    try #require(broker.shards[0].image.topic(named: "orders")).partitions
  }

  /// EMFILE: the logs are tried again each second.
  @Test func whatCannotBeOpenedIsToldAndWhatCanAgainToo() throws {
    let broker = try broker()
    broker.disk.failWrites(to: "orders-", errno: 24)
    try broker.create("orders", partitions: 6)
    broker.settle()
    #expect(try partitions(broker).allSatisfy { $0.leader == .none && $0.offlineReplicas == [BrokerID(1)] })
    #expect(try described(broker) == Array(repeating: [1], count: 6))
    broker.disk.heal()
    broker.advance(ms: 3000)
    #expect(try partitions(broker).allSatisfy { $0.leader == BrokerID(1) && $0.offlineReplicas.isEmpty })
    #expect(try partitions(broker).allSatisfy { $0.leaderEpoch.value == 2 })
    let client = broker.connect()
    for partition: Int32 in 0..<6 { client.sendProduce("orders", partition, ["yes"]) }
    broker.settle()
    #expect(client.take().map { $0.produced[0].errorCode } == Array(repeating: .none, count: 6))
    #expect(try described(broker) == Array(repeating: [], count: 6))
  }

  /// What Metadata tells of offline replicas, by partition.
  private func described(_ broker: SimulatedBroker) throws -> [[Int32]] {
    let client = broker.connect(to: 1)
    client.send(.metadata(MetadataRequest(topics: [.init(name: "orders")])), version: 10, key: .metadata)
    broker.settle()
    guard case .metadata(let body) = try client.takeOne().response else { return [] }
    return body.topics[0].partitions.map(\.offlineReplicas)
  }

  /// EIO: it stays so until the next start, which may find it well.
  @Test func aLogThatStaysShutIsLostUntilTheNextLife() throws {
    let broker = try broker()
    try broker.create("orders", partitions: 2)
    let client = broker.connect()
    client.sendProduce("orders", 0, ["kept"])
    broker.settle()
    try broker.restart { broker.disk.failReads(from: "orders-0/") }
    broker.settle()
    #expect(try partitions(broker).map(\.offlineReplicas) == [[BrokerID(1)], []])
    #expect(try partitions(broker).map(\.leader) == [.none, BrokerID(1)])
    broker.disk.heal()
    broker.advance(ms: 5000)
    #expect(try partitions(broker).map(\.leader) == [.none, BrokerID(1)])
    try broker.restart()
    broker.settle()
    #expect(try partitions(broker).map(\.leader) == [BrokerID(1), BrokerID(1)])
    #expect(try broker.readAll("orders").map(\.value) == ["kept"])
  }

  @Test func aFolderThatFailsLosesAllThatItHolds() throws {
    let broker = try broker([(name: "log.dirs", value: "/data,/data2")])
    try broker.create("orders", partitions: 6)
    let names = try broker.disk.list("/data2")
    let inSecond = (0..<6).map { names.contains("orders-\($0)") }
    let victim = try #require(inSecond.firstIndex(of: true))
    #expect(inSecond.contains(false))
    broker.disk.failWrites(to: "/data2/orders-\(victim)/")
    let client = broker.connect()
    client.sendProduce("orders", Int32(victim), ["x"])
    broker.settle()
    #expect(try partitions(broker).map { $0.offlineReplicas == [BrokerID(1)] } == inSecond)
    #expect(try partitions(broker).map { $0.leader == .none } == inSecond)
  }

  @Test func whoIsAloneKeepsItsPartitions() throws {
    let broker = try SimulatedBroker(shards: 2)
    broker.disk.failWrites(to: "orders-", errno: 24)
    try broker.create("orders", partitions: 6)
    broker.settle()
    #expect(try partitions(broker).allSatisfy { $0.leader == BrokerID(1) && $0.offlineReplicas.isEmpty })
  }
}
