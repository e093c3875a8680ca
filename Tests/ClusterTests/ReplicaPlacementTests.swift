import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

private func brokers(_ racks: [String?]) -> [BrokerRegistration] {
  racks.enumerated().map { BrokerRegistration(id: BrokerID(Int32($0.offset + 1)), rack: $0.element, endpoints: []) }
}

private func place(
  _ racks: [String?], partitions: Int, replicas: Int, seed: UInt64 = 1
) throws(KafkaError) -> [[BrokerID]] {
  var random = DecisionRandom(seed: seed, offset: Offset(0))
  return try ReplicaPlacement(brokers: brokers(racks))
    .place(partitionCount: partitions, replicationFactor: replicas, random: &random)
}

private func spread(_ counts: some Collection<Int>) -> Int { (counts.max() ?? 0) - (counts.min() ?? 0) }

@Suite struct ReplicaPlacementTests {
  @Test(arguments: 0..<60)
  func replicasDifferAndLeadersAreSpread(seed: Int) throws {
    var walk = Walk(seed: UInt64(seed))
    let racks: [String?] =
      (0..<(1 + walk.below(9))).map { walk.below(2) == 0 && seed % 2 == 0 ? nil : "r\($0 % 3)" }
    let replicas = 1 + walk.below(racks.count)
    let partitions = 1 + walk.below(60)
    let placed = try place(racks, partitions: partitions, replicas: replicas, seed: UInt64(seed))
    #expect(placed.count == partitions)
    #expect(placed.allSatisfy { $0.count == replicas && Set($0).count == replicas })
    var led: [BrokerID: Int] = [:]
    for broker in brokers(racks) { led[broker.id] = 0 }
    for partition in placed { led[partition[0], default: 0] += 1 }
    #expect(led.count == racks.count && spread(led.values) <= 1)
    #expect(placed == (try place(racks, partitions: partitions, replicas: replicas, seed: UInt64(seed))))
  }

  @Test func racksAreUsedEvenly() throws {
    let racks: [String?] = ["a", "a", "a", "b", "b", "c"]
    let rackOf = Dictionary(uniqueKeysWithValues: brokers(racks).map { ($0.id, $0.rack ?? "") })
    for replicas in 2...3 {
      for partition in try place(racks, partitions: 30, replicas: replicas) {
        #expect(Set(partition.compactMap { rackOf[$0] }).count == replicas)
      }
    }
    for partition in try place(racks, partitions: 30, replicas: 5) {
      #expect(Set(partition.compactMap { rackOf[$0] }).count == 3)
    }
  }

  /// The followers of one broker's partitions are not always the same: its load spreads when it is lost.
  @Test func followersShift() throws {
    let placed = try place([nil, nil, nil, nil, nil], partitions: 40, replicas: 2)
    let followers = placed.filter { $0[0] == BrokerID(3) }.map { $0[1] }
    #expect(Set(followers).count == 4)
  }

  @Test func seedsMatter() throws {
    let placements = try (0..<20).map { try place([nil, nil, nil], partitions: 1, replicas: 1, seed: UInt64($0)) }
    #expect(Set(placements).count == 3)
  }

  @Test func moreReplicasThanBrokersAreRefused() {
    #expect(throws: KafkaError.self) { try place([nil], partitions: 1, replicas: 2) }
    #expect(throws: KafkaError.self) { try place([], partitions: 1, replicas: 1) }
  }
}

@Suite struct ReplicaPlacementWithInactiveBrokersTests {
  @Test func brokersThatAreAwayComeLastAndOnlyWhereTheyMust() throws {
    var cluster = try TestCluster(racks: [nil, nil, nil, nil])
    try cluster.lose(2)
    _ = try cluster.shutDown(3)
    try cluster.create("two", partitions: 8, replicas: 2)
    for partition in try #require(cluster.image.topic(named: "two")).partitions {
      #expect(Set(partition.replicas) == Set(ids(1, 4)) && partition.isr == partition.replicas)
    }
    try cluster.create("three", partitions: 8, replicas: 3)
    let partitions = try #require(cluster.image.topic(named: "three")).partitions
    for partition in partitions {
      #expect(
        Set(partition.replicas.prefix(2)) == Set(ids(1, 4)) && partition.isr == Array(partition.replicas.prefix(2)))
      #expect(partition.leader == partition.replicas[0])
    }
    #expect(Set(partitions.map { $0.replicas[2] }) == Set(ids(2, 3)))
    #expect(try cluster.create("five", replicas: 5).errorCode == .invalidReplicationFactor)
  }

  @Test func withNobodyActiveNothingIsPlaced() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.lose(1, 2)
    #expect(try cluster.create("a").errorCode == .invalidReplicationFactor)
  }

  @Test func assignmentsNeedSomebodyActive() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.lose(1)
    let away = wanted("a", partitions: -1, replicas: -1, assignments: [(0, [1])])
    #expect(try cluster.create([away]).map(\.errorCode) == [.invalidReplicaAssignment])
    try cluster.create("b", on: [[1, 2]])
    #expect(try cluster.partition("b").isr == ids(2) && cluster.partition("b").leader == BrokerID(2))
    let reply = try cluster.run(
      .createPartitions(
        CreatePartitionsRequest(topics: [.init(name: "b", count: 2, assignments: [.init(brokerIds: [1])])])))
    guard case .createPartitions(let response) = reply else { throw UnexpectedReply() }
    #expect(response.results.map(\.errorCode) == [.invalidReplicaAssignment])
  }
}
