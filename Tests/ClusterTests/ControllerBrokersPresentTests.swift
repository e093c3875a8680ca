import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

private let replicated: [(String, String?)] = [("durability", "replicated")]
private let unclean: [(String, String?)] = [("unclean.leader.election.enable", "true")]

@Suite struct ControllerBrokersPresentTests {
  @Test func aLostBrokerLeadsNothingAndIsInSyncWithNobody() throws {
    var cluster = try TestCluster(racks: [nil, nil, nil])
    try cluster.create("a", on: [[1, 2, 3], [2, 1, 3], [3, 1, 2]])
    try cluster.lose(1)
    let partitions = try #require(cluster.image.topic(named: "a")).partitions
    #expect(partitions.map(\.leader) == ids(2, 2, 3))
    #expect(partitions.map(\.isr) == [ids(2, 3), ids(2, 3), ids(3, 2)])
    #expect(partitions.map(\.leaderEpoch.value) == [1, 0, 0] && partitions.map(\.partitionEpoch) == [1, 1, 1])
    #expect(cluster.image.brokers[BrokerID(1)]?.isFenced == true)
    try cluster.return(1, lastRun: .lost)
    #expect(try #require(cluster.image.topic(named: "a")).partitions == partitions)
    #expect(cluster.image.brokers[BrokerID(1)]?.isActive == true)
  }

  /// Also where the controller never saw it gone (KAFKA-7235).
  @Test func aBrokerThatBouncedLosesItsPlaces() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1, 2], [2, 1]])
    try cluster.return(1)
    let partitions = try #require(cluster.image.topic(named: "a")).partitions
    #expect(partitions.map(\.isr) == [ids(2), ids(2)] && partitions.map(\.leader) == ids(2, 2))
    // What it loses stands before its new life in the log.
    guard case .partition = cluster.log[cluster.log.count - 2], case .broker = cluster.log[cluster.log.count - 1] else {
      Issue.record("\(cluster.log.suffix(3))")
      return
    }
  }

  @Test func theLastInSyncStaysAndLeadsWhenItIsBack() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1, 2]])
    try cluster.lose(2)
    try cluster.lose(1)
    #expect(try cluster.partition().leader == .none && cluster.partition().isr == ids(1))
    try cluster.return(2)
    #expect(try cluster.partition().leader == .none)
    let epoch = try cluster.partition().leaderEpoch
    try cluster.return(1, lastRun: .killed)
    #expect(try cluster.partition().leader == BrokerID(1) && cluster.partition().isr == ids(1))
    #expect(try cluster.partition().leaderEpoch > epoch)
    // It leads only after it is known as alive again.
    guard case .broker = cluster.log[cluster.log.count - 2], case .partition = cluster.log[cluster.log.count - 1] else {
      Issue.record("\(cluster.log.suffix(3))")
      return
    }
  }

  /// Of those who were lost together any has everything: the first that is back leads.
  @Test func whoIsBackFirstLeadsAfterAllWereLost() throws {
    var cluster = try TestCluster(racks: [nil, nil, nil])
    try cluster.create("a", on: [[1, 2]])
    try cluster.lose(1, 2)
    #expect(try cluster.partition().leader == .none && cluster.partition().isr == ids(1, 2))
    try cluster.return(2, lastRun: .lost)
    #expect(try cluster.partition().leader == BrokerID(2) && cluster.partition().isr == ids(2))
    try cluster.return(1, lastRun: .killed)
    #expect(try cluster.partition().isr == ids(2))
  }

  /// What nobody else had yet may be kept with the leader.
  @Test func ofThoseThatAreBackTheLeaderLeadsOn() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1, 2]])
    try cluster.sync([1])
    try cluster.sync([1, 2])
    try cluster.return(1)
    try cluster.sync([2, 1])
    cluster.begin(1, lastRun: .killed)
    cluster.begin(2, lastRun: .killed)
    try cluster.settle()
    #expect(try cluster.partition().leader == BrokerID(2) && cluster.partition().isr == ids(2))
    #expect(try cluster.partition().leaderEpoch.value == 2)
  }

  @Test func theOneThatHasEverythingIsWaitedFor() throws {
    var cluster = try TestCluster(racks: [nil, nil, nil])
    try cluster.create("a", on: [[1, 2]], configs: replicated)
    try cluster.lose(1, 2)
    try cluster.return(2, lastRun: .lost)
    #expect(try cluster.partition().leader == .none && cluster.partition().isr == ids(1))
    try cluster.return(1, lastRun: .killed)
    #expect(try cluster.partition().leader == BrokerID(1))
  }

  @Test func aDoubtfulReplicaDoesNotLead() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1, 2]], configs: replicated)
    try cluster.lose(2)
    try cluster.return(1, lastRun: .lost)
    #expect(try cluster.partition().leader == .none && cluster.partition().isr == ids(1))
    #expect(try cluster.partition().doubtfulReplicas == ids(1))
    // A stop in order does not bring back what was lost before.
    try cluster.return(1)
    try cluster.return(2)
    #expect(try cluster.partition().leader == .none)
    let request = ElectLeadersRequest(electionType: 1, topicPartitions: [.init(topic: "a", partitions: [0])])
    try cluster.run(.electLeaders(request))
    #expect(try cluster.partition().leader == BrokerID(1) && cluster.partition().doubtfulReplicas.isEmpty)
  }

  /// What was flushed is gone with the folder: whoever has it is waited for.
  @Test func aReplicaThatMayHaveGoneWithItsFolderDoesNotLead() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1, 2]])
    try cluster.create("b", on: [[1]])
    try cluster.lose(1, 2)
    try cluster.return(1, lastRun: .foldersGone)
    #expect(try cluster.partition().leader == .none && cluster.partition().isr == ids(2))
    // Where there is one replica nobody has more.
    #expect(cluster.image.topic(named: "b")?.partitions[0].leader == BrokerID(1))
    try cluster.return(2, lastRun: .lost)
    #expect(try cluster.partition().leader == BrokerID(2) && cluster.partition().isr == ids(2))
  }

  @Test func otherFoldersAreDoubtfulAlways() throws {
    var cluster = try TestCluster(racks: [nil])
    try cluster.create("a", on: [[1]])
    try cluster.return(1, data: 2)
    #expect(try cluster.partition().leader == .none && cluster.partition().doubtfulReplicas == ids(1))
  }

  @Test func whereUncleanLeadersAreAllowedTheyLead() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1, 2]], configs: replicated + unclean)
    try cluster.lose(2)
    try cluster.return(1, lastRun: .lost)
    #expect(try cluster.partition().leader == BrokerID(1) && cluster.partition().leaderEpoch.value == 1)
    try cluster.return(2)
    try cluster.lose(1)
    #expect(try cluster.partition().leader == BrokerID(2) && cluster.partition().isr == ids(2))
    try cluster.lose(2)
    try cluster.return(1)
    #expect(try cluster.partition().leader == BrokerID(1))
  }

  @Test func whoWasOnlyOutOfSightLostNothing() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1, 2]], configs: replicated)
    let epoch = cluster.epoch(of: 1)
    try cluster.lose(1, 2)
    #expect(try cluster.partition().isr == ids(1, 2))
    cluster.resume(1)
    try cluster.settle()
    #expect(cluster.image.brokers[BrokerID(1)]?.isActive == true && cluster.epoch(of: 1) == epoch)
    #expect(try cluster.partition().leader == BrokerID(1) && cluster.partition().isr == ids(1))
  }

  @Test func theSameAgainIsNoChange() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1, 2]])
    let before = cluster.log.count
    #expect(try cluster.settle() == .brokersSettled(brokerCount: 0, partitionCount: 0))
    #expect(cluster.log.count == before)
  }

  // MARK: one node

  @Test func aCleanRestartOfOneNodeTouchesNoPartition() throws {
    var cluster = try TestCluster()
    try cluster.create("a", partitions: 10_000)
    let before = cluster.log.count
    cluster.begin(1)
    #expect(try cluster.settle() == .brokersSettled(brokerCount: 1, partitionCount: 0))
    #expect(cluster.log.count == before + 1)
  }

  /// A tail may have been lost: in a new epoch consumers notice that offsets they have seen are other records now.
  @Test(arguments: [LastRun.killed, .lost, .stopped(brokerEpoch: 3)])
  func anUncleanStartBumpsTheEpochsOfWhatItLeads(lastRun: LastRun) throws {
    var cluster = try TestCluster()
    try cluster.create("a", on: [[1], [1]])
    try cluster.create("b", on: [[1]], configs: replicated)
    cluster.begin(1, lastRun: lastRun)
    #expect(try cluster.settle() == .brokersSettled(brokerCount: 1, partitionCount: 3))
    let partitions = cluster.image.topicNames.flatMap { cluster.image.topic(named: $0)?.partitions ?? [] }
    #expect(partitions.allSatisfy { $0.leader == BrokerID(1) && $0.leaderEpoch.value == 1 && $0.partitionEpoch == 1 })
  }

  /// Its followers must compare their logs with it again, though it leads on.
  @Test func aLeaderWithFollowersBeginsANewTermAlsoAfterACleanStop() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1, 2]])
    try cluster.lose(2)
    try cluster.return(1)
    #expect(try cluster.partition().leader == BrokerID(1) && cluster.partition().leaderEpoch.value == 1)
  }

  // MARK: size

  @Test func tenThousandPartitionsAreOneDecision() throws {
    var cluster = try TestCluster(racks: Array(repeating: nil, count: 4))
    for topic in 0..<10 { try cluster.create("t\(topic)", partitions: 1000, replicas: 3) }
    let led = cluster.image.topicNames.flatMap { cluster.image.topic(named: $0)?.partitions ?? [] }
    let concerned = led.count { $0.isr.contains(BrokerID(1)) }
    cluster.end(1)
    let reply = try cluster.settle()
    #expect(reply == .brokersSettled(brokerCount: 1, partitionCount: concerned))
  }
}
