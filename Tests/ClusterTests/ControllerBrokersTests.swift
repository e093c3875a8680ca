import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

@Suite struct ControllerBrokersTests {
  @Test func theClusterHasOneId() throws {
    var cluster = try TestCluster()
    let before = cluster.log.count
    #expect(try cluster.run(.createCluster(id: "cluster-1")) == .clusterCreated(id: "cluster-1"))
    #expect(cluster.log.count == before)
    #expect(throws: KafkaError.self) { try cluster.run(.createCluster(id: "other")) }
  }

  @Test func aBrokerLeavesWhenItIsGoneAndHoldsNothing() throws {
    var cluster = try TestCluster(racks: [nil, nil, nil])
    try cluster.create("a", on: [[2]])
    #expect(refusal { try cluster.run(.unregisterBroker(BrokerID(1))) } == .invalidRequest)
    try cluster.lose(1, 2)
    #expect(refusal { try cluster.run(.unregisterBroker(BrokerID(2))) } == .invalidRequest)
    #expect(refusal { try cluster.run(.unregisterBroker(BrokerID(4))) } == .brokerIdNotRegistered)
    #expect(try cluster.run(.unregisterBroker(BrokerID(1))) == .brokerUnregistered)
    #expect(cluster.image.sortedBrokers.map(\.id.value) == [2, 3])
    try cluster.return(1)
    #expect(cluster.image.brokers[BrokerID(1)]?.isActive == true)
  }
}

@Suite struct ControllerProducerIDsTests {
  @Test func producerIdsAreHandedOutOnce() throws {
    var cluster = try TestCluster()
    #expect(try cluster.run(.allocateProducerIDs(count: 1000)) == .producerIDs(first: ProducerID(0), count: 1000))
    #expect(try cluster.run(.allocateProducerIDs(count: 5)) == .producerIDs(first: ProducerID(1000), count: 5))
    #expect(cluster.image.nextProducerID == ProducerID(1005))
    #expect(throws: KafkaError.self) { try cluster.run(.allocateProducerIDs(count: 0)) }
    cluster.controller.replay(.producerIds(ProducerIdsRecord(nextProducerId: .max - 1)), at: Offset(99))
    #expect(throws: KafkaError.self) { try cluster.run(.allocateProducerIDs(count: 2)) }
  }

  @Test func otherBrokersGetABlock() throws {
    var cluster = try TestCluster(racks: [nil, nil])
    try cluster.run(.allocateProducerIDs(count: 7))
    var request = AllocateProducerIdsRequest(brokerId: 2, brokerEpoch: cluster.epoch(of: 2))
    let reply = try cluster.run(.producerIDBlock(request))
    #expect(reply == .producerIDBlock(AllocateProducerIdsResponse(producerIdStart: 7, producerIdLen: 1000)))
    #expect(cluster.image.nextProducerID == ProducerID(1007))
    request.brokerEpoch -= 1
    #expect(refusal { try cluster.run(.producerIDBlock(request)) } == .staleBrokerEpoch)
    request.brokerId = 3
    #expect(refusal { try cluster.run(.producerIDBlock(request)) } == .brokerIdNotRegistered)
  }
}

/// The code of the error that `body` throws; nil when it throws none.
func refusal(_ body: () throws -> some Any) -> ErrorCode? {
  do {
    _ = try body()
    return nil
  } catch {
    return (error as? KafkaError)?.code
  }
}
