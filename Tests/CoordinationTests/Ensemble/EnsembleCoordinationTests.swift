import Cluster
import Effects
import KafkaProtocol
import Primitives
import Simulation
import TestSupport
import Testing

@testable import Coordination

private let root = "/ottla/test"

/// A cluster of one broker that is elected and has appended `count` records.
private func founded(
  _ cluster: SimulatedCluster, count: Int = 3, _ adjust: (inout EnsembleSettings) -> Void = { _ in }
) -> SimulatedCluster.Broker {
  let broker = cluster.start(1, adjust)
  #expect(cluster.run(ms: 5000) { broker.probe.present?.count == 1 })
  for number in 0..<count {
    broker.probe.append([.note("k\(number)", "v")], token: RequestToken(UInt64(number)))
    #expect(cluster.run(ms: 5000) { broker.probe.pending == nil })
  }
  #expect(broker.probe.appended.count == count)
  return broker
}

@Suite struct EnsembleCoordinationTests {
  /// What a broker is told at its start, in order.
  @Test func theStartOfAClusterIsToldInOrder() {
    let cluster = SimulatedCluster()
    let client = cluster.ensemble.client()
    let service = EnsembleCoordination(
      ensemble: client, settings: EnsembleSettings(brokerID: BrokerID(1), chroot: root), time: cluster.clock,
      random: SeededRandom(seed: 1))
    service.register(.sample(1))
    var events: [CoordinationEvent] = []
    for _ in 0..<100 {
      cluster.ensemble.advance(to: cluster.clock.now().advanced(byMilliseconds: 10))
      events += service.poll()
    }
    let epoch = service.registration.epoch ?? -1
    #expect(
      events == [
        .connectionChanged(isConnected: true), .controllerChanged(.none, controllerEpoch: 0),
        .registered(epoch: epoch), .loaded, .elected(controllerEpoch: 1),
        .controllerChanged(BrokerID(1), controllerEpoch: 1),
        .brokersPresent([PresentBroker(presence: .sample(1), epoch: epoch)]),
      ])
  }

  /// An append whose fate nobody can tell ends the term: whatever is still on its way meets another epoch.
  @Test(arguments: [LostAnswer.beforeApplying, .afterApplying, .applyingLater(ms: 9000)])
  func anAppendThatIsNotAnsweredInTimeEndsTheTerm(_ fault: LostAnswer) {
    let cluster = SimulatedCluster()
    let broker = founded(cluster)
    broker.client.loseNextAnswer(fault)
    broker.probe.append([.note("late", "v")], token: RequestToken(100))
    cluster.run(ms: 10)
    broker.client.cut()
    cluster.run(ms: 4000)
    #expect(broker.probe.pending != nil)
    cluster.run(ms: 4000)
    #expect(broker.probe.failed[RequestToken(100)]?.code == .requestTimedOut)
    #expect(broker.probe.controllerEpoch == nil)
    broker.client.heal()
    #expect(cluster.run(ms: 20_000) { broker.probe.controllerEpoch == 2 })
    cluster.run(ms: 5000)
    broker.probe.append([.note("next", "v")], token: RequestToken(101))
    #expect(cluster.run(ms: 5000) { broker.probe.appended[RequestToken(101)] != nil })
    if case .afterApplying = fault {
      #expect(broker.probe.image.configs(for: .brokerDefault)["late"] == "v")
    } else {
      #expect(broker.probe.image.configs(for: .brokerDefault)["late"] == nil)
    }
    #expect(broker.probe.violations == [])
  }

  /// The session is over before anybody knows what became of an append: it may have been made, and must not be called refused, for
  /// what is refused is asked for again.
  @Test(arguments: [LostAnswer.beforeApplying, .afterApplying])
  func anAppendWhoseSessionEndsIsDoubtful(_ fault: LostAnswer) {
    let cluster = SimulatedCluster()
    let broker = cluster.start(1, sessionTimeoutMs: 2000)
    #expect(cluster.run(ms: 5000) { broker.probe.present?.count == 1 })
    broker.client.loseNextAnswer(fault)
    broker.probe.append([.note("late", "v")], token: RequestToken(100))
    cluster.run(ms: 10)
    broker.client.cut()
    cluster.run(ms: 4000)
    #expect(broker.probe.pending != nil)
    broker.client.heal()
    #expect(cluster.run(ms: 900) { broker.probe.failed[RequestToken(100)] != nil })
    #expect(broker.probe.failed[RequestToken(100)]?.code == .requestTimedOut)
    #expect(broker.probe.violations == [])
  }

  /// What never left is known not to be made.
  @Test func anAppendThatFindsAnotherControllerIsRefused() {
    let cluster = SimulatedCluster()
    let broker = founded(cluster)
    let others = [cluster.start(2), cluster.start(3)]
    cluster.run(ms: 3000)
    cluster.ensemble.write([.deleteAny(root + "/controller")])
    let epoch = broker.probe.controllerEpoch ?? 0
    broker.isPaused = true
    #expect(cluster.run(ms: 10_000) { others.contains { $0.isLeading && $0.probe.controllerEpoch ?? 0 > epoch } })
    broker.probe.append([.note("late", "v")], token: RequestToken(100))
    broker.isPaused = false
    #expect(cluster.run(ms: 5000) { broker.probe.failed[RequestToken(100)] != nil })
    #expect(broker.probe.failed[RequestToken(100)]?.code == .notController)
  }

  /// The same within one session: the term that was given up is not taken up again.
  @Test func aSlowEnsembleEndsTheTermWithinTheSession() {
    let cluster = SimulatedCluster()
    let broker = founded(cluster)
    for server in 0..<3 { cluster.ensemble.lag(server: server, ms: 8000) }
    broker.probe.append([.note("late", "v")], token: RequestToken(100))
    #expect(cluster.run(ms: 7000) { broker.probe.failed[RequestToken(100)] != nil })
    for server in 0..<3 { cluster.ensemble.lag(server: server, ms: 0) }
    #expect(cluster.run(ms: 20_000) { broker.probe.controllerEpoch == 2 })
    #expect(broker.probe.image.configs(for: .brokerDefault)["late"] == "v")
    #expect(broker.probe.epochs.count == 1 && broker.probe.violations == [])
  }

  @Test func anotherProgramsControllerNodeIsLeftAlone() {
    let cluster = SimulatedCluster()
    let broker = cluster.start(1)
    #expect(cluster.run(ms: 5000) { broker.isLeading })
    cluster.ensemble.write([.deleteAny(root + "/controller"), .create(NodeCreation(root + "/controller", [1, 2]))])
    cluster.run(ms: 5000)
    #expect(!broker.isLeading && broker.probe.controller?.id == BrokerID.none)
    cluster.ensemble.write([.deleteAny(root + "/controller")])
    #expect(cluster.run(ms: 5000) { broker.isLeading })
    #expect(broker.probe.violations == [])
  }

  @Test func aBrokerNodeThatSaysNothingIsNoBroker() {
    let cluster = SimulatedCluster()
    let broker = founded(cluster)
    cluster.ensemble.write([
      .create(NodeCreation(root + "/brokers/ids/7", Array("{}".utf8))),
      .create(NodeCreation(root + "/brokers/ids/x", BrokerNode.bytes(.sample(8), at: .none))),
      .create(NodeCreation(root + "/brokers/ids/9", BrokerNode.bytes(.sample(9), at: .none))),
    ])
    #expect(cluster.run(ms: 5000) { broker.probe.present?.map(\.presence.id) == [BrokerID(1), BrokerID(9)] })
  }

  @Test func aNodeDeletedByHandIsMadeAnew() {
    let cluster = SimulatedCluster()
    let broker = founded(cluster)
    cluster.ensemble.write([.deleteAny(root + "/brokers/ids/1")])
    #expect(
      cluster.run(ms: 5000) {
        broker.probe.epochs.count == 2 && broker.probe.present?.first?.epoch == broker.probe.epoch
      })
    #expect(broker.isLeading && broker.probe.violations == [])
  }

  // -- what nobody can go on with

  private func refusal(
    _ writes: [EnsembleWrite], expires: Bool = false, _ cluster: SimulatedCluster = SimulatedCluster()
  ) -> String {
    let first = founded(cluster)
    cluster.ensemble.write(writes)
    if expires { cluster.ensemble.expire(first.client) }
    let broker = expires ? first : cluster.start(2)
    _ = cluster.run(ms: 20_000) { broker.probe.refusal != nil }
    #expect(broker.probe.violations == [])
    return broker.probe.refusal ?? "none"
  }

  @Test func aDamagedLogNodeIsRefused() {
    let path = root + "/metadata/log/0000000001"
    #expect(
      refusal([.set(path, [1, 2, 3], version: 0)]).hasPrefix("\(path) in ZooKeeper cannot be read: it is damaged"))
    #expect(refusal([.deleteAny(path)]).hasPrefix("\(path) in ZooKeeper is missing: it is damaged"))
  }

  /// A server may lack a node for a while.
  @Test(arguments: [false, true]) func aNodeThatIsThereTheNextTimeDoesNoHarm(isFirst: Bool) throws {
    let cluster = SimulatedCluster()
    let first = founded(cluster)
    let path = root + (isFirst ? "/metadata/log/0000000000" : "/metadata/log/0000000001")
    let bytes = try #require(cluster.ensemble.data(at: path))
    cluster.ensemble.write([.deleteAny(path)])
    let second = cluster.start(2)
    cluster.run(ms: 3500)
    #expect(
      second.probe.doubts.count >= 3
        && second.probe.doubts.allSatisfy { $0.hasPrefix("\(path) in ZooKeeper is missing") })
    #expect(second.probe.refusal == nil && !second.probe.isLoaded)
    cluster.ensemble.write([.create(NodeCreation(path, bytes))])
    #expect(cluster.run(ms: 5000) { second.probe.isLoaded && second.probe.epoch != nil })
    #expect(second.probe.image.offset == first.probe.image.offset)
    #expect(first.probe.violations == [] && second.probe.violations == [])
  }

  /// A broker that has long been in the cluster asks again too; what it had taken in stays.
  @Test func whoHasSeenMoreAsksAgain() throws {
    let cluster = SimulatedCluster()
    let broker = founded(cluster)
    let path = root + "/metadata/head"
    let bytes = try #require(cluster.ensemble.data(at: path))
    let older = LogHead(nextNode: 1, lastOffset: .zero)
    cluster.ensemble.write([.set(path, older.bytes, version: 3)])
    cluster.ensemble.expire(broker.client)
    cluster.run(ms: 3500)
    #expect(broker.probe.doubts.count >= 3 && broker.probe.refusal == nil)
    cluster.ensemble.write([.set(path, bytes, version: 4)])
    #expect(cluster.run(ms: 10_000) { broker.isLeading })
    broker.probe.append([.note("later", "v")], token: RequestToken(100))
    #expect(cluster.run(ms: 5000) { broker.probe.appended[RequestToken(100)] != nil })
    #expect(broker.probe.violations == [])
  }

  @Test func damagedPointersAreRefused() {
    for name in ["/metadata/head", "/metadata/snapshot", "/cluster/id"] {
      let version: Int32 = name == "/metadata/head" ? 3 : 0
      #expect(refusal([.set(root + name, Array("no".utf8), version: version)]).hasPrefix(root + name))
    }
  }

  @Test func anOlderStateOfTheLogIsRefused() {
    let older = LogHead(nextNode: 1, lastOffset: .zero)
    let sentence = refusal([.set(root + "/metadata/head", older.bytes, version: 3)], expires: true)
    #expect(sentence.contains("ends at node 1, but this broker has seen it up to node 3"))
  }

  @Test func aWipedEnsembleIsRefused() {
    let sentence = refusal([.deleteAny(root + "/cluster/id")], expires: true)
    #expect(sentence.contains("is gone from ZooKeeper"))
  }

  @Test func aSnapshotWithoutAChunkIsRefused() {
    let pointer = SnapshotPointer(
      current: SnapshotName(name: "x", chunkCount: 2, nextNode: 2, lastOffset: Offset(1)), previous: nil)
    let sentence = refusal([
      .set(root + "/metadata/snapshot", pointer.bytes, version: 0),
      .create(NodeCreation(root + "/metadata/snapshots/x")),
    ])
    #expect(sentence.hasPrefix("\(root)/metadata/snapshots/x in ZooKeeper cannot be read: it is damaged"))
  }

  /// A request may overtake the login of a connection that is made anew.
  @Test func whoIsDeniedOnceAsksAgain() {
    let cluster = SimulatedCluster()
    let broker = cluster.start(1, login: "a:b")
    #expect(cluster.run(ms: 10_000) { broker.isLeading })
    // The first one is a sync, which anybody may ask for.
    broker.client.requestsAheadOfLogin = 2
    cluster.ensemble.expire(broker.client)
    #expect(cluster.run(ms: 5000) { !broker.isLeading })
    #expect(cluster.run(ms: 20_000) { broker.isLeading })
    #expect(broker.probe.doubts.count == 1 && broker.probe.doubts[0].contains("denies this broker access"))
    broker.probe.append([.note("later", "v")], token: RequestToken(100))
    #expect(cluster.run(ms: 5000) { broker.probe.appended[RequestToken(100)] != nil })
    #expect(broker.probe.refusal == nil && broker.probe.violations == [])
  }

  @Test func whoIsDeniedEachTimeIsRefused() {
    let cluster = SimulatedCluster()
    let first = cluster.start(1, login: "a:b")
    #expect(cluster.run(ms: 10_000) { first.isLeading })
    let other = cluster.start(2, login: "c:d")
    #expect(cluster.run(ms: 10_000) { other.probe.refusal?.contains("denies this broker access") ?? false })
    #expect(other.probe.doubts.count == 2 && other.probe.violations == [] && first.probe.violations == [])
  }

  @Test func aLoginThatIsNotAcceptedIsRefused() {
    let cluster = SimulatedCluster()
    cluster.ensemble.refusedLogins = ["a:b"]
    let broker = cluster.start(1, login: "a:b")
    #expect(cluster.run(ms: 2000) { broker.probe.refusal?.contains("does not accept this broker's login") ?? false })
    broker.coordination.close()
    cluster.run(ms: 10)
    broker.probe.poll()
    #expect(broker.probe.isClosed && broker.probe.violations == [])
  }

  @Test func nodesOfSomethingElseAreRefused() {
    let cluster = SimulatedCluster()
    for path in ["/ottla", root] { cluster.ensemble.write([.create(NodeCreation(path))]) }
    cluster.ensemble.write([.create(NodeCreation(root + "/controller_epoch", Array("1".utf8)))])
    let broker = cluster.start(1)
    #expect(cluster.run(ms: 5000) { broker.probe.refusal?.contains("nodes of something else below \(root)") ?? false })
  }

  @Test func aChangeThatIsTooLargeIsRefusedAndTheNextOneIsNot() {
    let cluster = SimulatedCluster()
    let broker = founded(cluster) { $0.nodeBytesMax = 200 }
    broker.probe.append([.note("k", String(repeating: "x", count: 300))], token: RequestToken(50))
    #expect(broker.probe.failed[RequestToken(50)]?.code == .policyViolation)
    broker.probe.append([.note("k", "x")], token: RequestToken(51))
    #expect(cluster.run(ms: 1000) { broker.probe.appended[RequestToken(51)] != nil })
  }

  /// Without a deadline of its own a service is not called back.
  @Test func anIdleServiceAsksForNoTick() {
    let cluster = SimulatedCluster()
    let broker = founded(cluster)
    cluster.run(ms: 1000)
    #expect(broker.coordination.tick(cluster.clock.now()) == nil)
  }
}
