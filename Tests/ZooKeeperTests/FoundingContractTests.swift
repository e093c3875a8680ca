import Cluster
import Coordination
import KafkaProtocol
import Primitives
import TestSupport
import Testing

/// How a cluster begins, and whom it does not take.
@Suite(.serialized) struct FoundingContractTests {
  @Test(arguments: GroundKind.available)
  func aSingleNodesMetadataBecomesTheClusters(_ kind: GroundKind) throws {
    let ground = try kind.make()
    let topic = UUID(high: 1, low: 2)
    let records: [MetadataRecord] = [
      .cluster(ClusterRecord(clusterId: "the-cluster")), .topic(TopicRecord(name: "orders", topicId: topic)),
      .note("a", "1"),
    ]
    let broker = ground.start(1) { settings in
      settings.clusterID = "the-cluster"
      settings.foundingRecords = records
      settings.nodeBytesMax = 60
    }
    let other = ground.start(2)
    #expect(ground.run { [broker, other].allSatisfy { $0.probe.isLoaded || $0.probe.refusal != nil } })
    // Whoever comes first founds: the other's cluster then is another one.
    guard broker.probe.refusal == nil else {
      #expect(broker.probe.refusal?.contains("the-cluster") ?? false)
      return
    }
    for founded in [broker, other] {
      #expect(founded.coordination.clusterID == "the-cluster")
      #expect(founded.probe.image.topic(named: "orders")?.id == topic)
      #expect(founded.probe.image.offset == Offset(2))
      #expect(founded.probe.violations == [])
    }
    #expect(ground.run { [broker, other].contains { $0.isLeading } })
    let elected = try #require(controller(of: [broker, other]))
    elected.probe.append([.note("b", "1")], token: RequestToken(1))
    #expect(ground.run { [broker, other].allSatisfy { $0.probe.image.offset == Offset(3) } })
  }

  @Test(arguments: GroundKind.available)
  func foldersOfAnotherClusterAreRefused(_ kind: GroundKind) throws {
    let ground = try kind.make()
    let first = ground.start(1) { $0.clusterID = "one" }
    #expect(ground.run { first.probe.isLoaded })
    let second = ground.start(2) { $0.clusterID = "two" }
    #expect(ground.run { second.probe.refusal != nil })
    #expect(
      second.probe.refusal?.contains("holds the cluster one, but this broker's folders belong to the cluster two")
        ?? false)
    second.coordination.close()
    #expect(ground.run(ms: 5000) { second.probe.isClosed })
    #expect(second.probe.violations == [] && first.probe.refusal == nil)
  }

  @Test(arguments: GroundKind.available)
  func aNumberThatIsInUseIsRefusedAfterASessionsTime(_ kind: GroundKind) throws {
    let ground = try kind.make()
    let first = ground.start(1)
    #expect(ground.run { first.probe.epoch != nil })
    let second = ground.start(1, run: 2, data: 99)
    ground.wait(ms: 1000)
    #expect(second.probe.refusal == nil)
    #expect(ground.run { second.probe.refusal != nil })
    #expect(second.probe.refusal?.contains("node.id 1 is in use by the broker at host1:9092") ?? false)
    #expect(first.probe.epochs.count == 1 && first.probe.refusal == nil)
  }

  /// Somebody else's broker that died with our number: its node goes, and we come.
  @Test(arguments: GroundKind.available)
  func aForeignNodeThatGoesIsWaitedFor(_ kind: GroundKind) throws {
    let ground = try kind.make()
    let first = ground.start(1)
    #expect(ground.run { first.probe.epoch != nil })
    ground.kill(first)
    let second = ground.start(1, run: 2, data: 99)
    #expect(ground.run { second.probe.epoch != nil })
    #expect(second.probe.refusal == nil && second.probe.violations == [])
  }

  @Test(arguments: GroundKind.available)
  func aCopyOfTheFoldersIsNoticed(_ kind: GroundKind) throws {
    let ground = try kind.make()
    let first = ground.start(1)
    #expect(ground.run { first.probe.epoch != nil })
    let copy = ground.start(1, run: 2)
    #expect(ground.run { [first, copy].contains { $0.probe.refusal != nil } })
    let refused = try #require([first, copy].compactMap(\.probe.refusal).first)
    #expect(refused.contains("a copy of this broker's data folders"))
    // The other one goes on.
    #expect(ground.run { [first, copy].contains { $0.probe.refusal == nil && $0.probe.epoch != nil } })
    #expect([first, copy].filter { $0.probe.refusal != nil }.count == 1)
  }

  @Test(arguments: GroundKind.available)
  func whatIsNotOttlasIsRefused(_ kind: GroundKind) throws {
    let ground = try kind.make()
    #expect(
      ground.write([
        .create(NodeCreation("/contract")), .create(NodeCreation("/contract/a")),
        .create(NodeCreation("/contract/a/cluster")),
        .create(NodeCreation("/contract/a/cluster/id", Array(#"{"version":"1","id":"kafkas"}"#.utf8))),
      ]) == nil)
    let broker = ground.start(1)
    #expect(ground.run { broker.probe.refusal != nil })
    #expect(broker.probe.refusal?.contains("not Ottla's") ?? false)
  }

  @Test(arguments: GroundKind.available)
  func aBrokerWithPartitionsFoundsNoCluster(_ kind: GroundKind) throws {
    let ground = try kind.make()
    let broker = ground.start(1) { $0.mayFound = false }
    #expect(ground.run { broker.probe.refusal != nil })
    #expect(broker.probe.refusal?.contains("holds no cluster below /contract/a") ?? false)
    #expect(ground.children(of: "/contract").isEmpty)
  }

  @Test(arguments: GroundKind.available)
  func nodesMadeUnderALoginAreClosedToOthers(_ kind: GroundKind) throws {
    let ground = try kind.make()
    let first = ground.start(1, login: "ottla:secret")
    #expect(ground.run { first.isLeading }, "\(first.probe.refusal ?? "")")
    let second = ground.start(2, login: "ottla:secret")
    #expect(ground.run { first.probe.present?.count == 2 && second.probe.isLoaded }, "\(second.probe.refusal ?? "")")
    let wrong = ground.start(3, login: "ottla:guess")
    let none = ground.start(4)
    #expect(ground.run { wrong.probe.refusal != nil && none.probe.refusal != nil })
    #expect(wrong.probe.refusal?.contains("denies this broker access below /contract/a") ?? false)
    #expect(first.probe.refusal == nil && second.probe.refusal == nil)
  }
}
