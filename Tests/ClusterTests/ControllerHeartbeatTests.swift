import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

@Suite struct ControllerHeartbeatTests {
  @Test func aBrokerLearnsHowItStands() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    var request = BrokerHeartbeatRequest(
      brokerId: 1, brokerEpoch: cluster.epoch(of: 1), currentMetadataOffset: cluster.image.offset.value)
    let well = BrokerHeartbeatResponse(isCaughtUp: true, isFenced: false, shouldShutDown: false)
    #expect(try cluster.run(.brokerHeartbeat(request)) == .brokerHeartbeat(well))
    request.currentMetadataOffset -= 1
    let behind = BrokerHeartbeatResponse(isCaughtUp: false, isFenced: false, shouldShutDown: false)
    #expect(try cluster.run(.brokerHeartbeat(request)) == .brokerHeartbeat(behind))
  }

  @Test func whoIsNotTheBrokerIsRefused() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    let epoch = cluster.epoch(of: 1)
    for (request, code) in [
      (BrokerHeartbeatRequest(brokerId: 3, brokerEpoch: epoch), ErrorCode.brokerIdNotRegistered),
      (BrokerHeartbeatRequest(brokerId: 1, brokerEpoch: epoch - 1, wantShutDown: true), .staleBrokerEpoch),
      (BrokerHeartbeatRequest(brokerId: 1, brokerEpoch: epoch, wantFence: true), .invalidRequest),
      (BrokerHeartbeatRequest(brokerId: 1, brokerEpoch: epoch, offlineLogDirs: [.zero]), .invalidRequest),
      (BrokerHeartbeatRequest(brokerId: 1, brokerEpoch: epoch, cordonedLogDirs: [.zero]), .invalidRequest),
    ] {
      #expect(refusal { try cluster.run(.brokerHeartbeat(request)) } == code)
    }
  }

  @Test func whoWantsToStopHandsOver() throws {
    var cluster = try TestCluster(racks: [nil, nil, nil])
    try cluster.create("a", on: [[1, 2, 3], [2, 1, 3]])
    try cluster.create("b", on: [[1]])
    let answer = try #require(try cluster.shutDown(1))
    #expect(answer.shouldShutDown && !answer.isFenced)
    let partitions = try #require(cluster.image.topic(named: "a")).partitions
    #expect(partitions.map(\.leader) == ids(2, 2) && partitions.map(\.isr) == [ids(2, 3), ids(2, 3)])
    #expect(partitions.map(\.leaderEpoch.value) == [1, 0])
    #expect(try cluster.partition("b").leader == BrokerID(1) && cluster.partition("b").isr == ids(1))
    let broker = try #require(cluster.image.brokers[BrokerID(1)])
    #expect(broker.isShuttingDown && !broker.isFenced && !broker.isActive)
    let before = cluster.log.count
    #expect(try cluster.shutDown(1) == answer)
    #expect(cluster.log.count == before)
  }

  /// A follower that is alive may still catch up: that is worth waiting for. One that is dead, or stops too, is not.
  @Test func whoAloneIsInSyncWaitsForTheOthers() throws {
    var cluster = try TestCluster(racks: [nil, nil, nil])
    try cluster.create("a", on: [[1, 2, 3]])
    try cluster.sync([1])
    #expect(try #require(try cluster.shutDown(1)).shouldShutDown == false)
    #expect(try cluster.partition().leader == BrokerID(1))
    try cluster.sync([1, 3])
    #expect(try #require(try cluster.shutDown(1)).shouldShutDown)
    #expect(try cluster.partition().leader == BrokerID(3) && cluster.partition().isr == ids(3))
    #expect(try #require(try cluster.shutDown(3)).shouldShutDown == false, "broker 2 may still come in")
    try cluster.lose(2)
    #expect(try #require(try cluster.shutDown(3)).shouldShutDown)
    #expect(try cluster.partition().leader == BrokerID(3))
  }

  @Test func whoIsAboutToStopGetsNothingMore() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1, 2]])
    _ = try cluster.shutDown(1)
    #expect(try cluster.alter(try cluster.proposal([1, 2])).errorCode == .ineligibleReplica)
    try cluster.lose(2)
    #expect(try cluster.partition().leader == .none && cluster.partition().isr == ids(2))
    #expect(try cluster.create("b", replicas: 1).errorCode == .invalidReplicationFactor)
    try cluster.return(1)
    #expect(try cluster.create("b", replicas: 1).errorCode == .none)
  }

  /// Both may stop at the same time: the second one leads to the end.
  @Test func theLastOneLeadsToTheEnd() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.create("a", on: [[1, 2]])
    _ = try cluster.shutDown(1)
    let answer = try #require(try cluster.shutDown(2))
    #expect(answer.shouldShutDown)
    #expect(try cluster.partition().leader == BrokerID(2) && cluster.partition().isr == ids(2))
    try cluster.lose(1, 2)
    #expect(try cluster.partition().leader == .none && cluster.partition().isr == ids(2))
  }

  @Test func aFencedBrokerMayStopAtOnce() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.lose(1)
    let before = cluster.log.count
    let answer = try #require(try cluster.shutDown(1))
    #expect(answer.shouldShutDown && answer.isFenced && cluster.log.count == before)
  }
}
