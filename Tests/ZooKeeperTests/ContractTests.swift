import Cluster
import Coordination
import Primitives
import TestSupport
import Testing

/// Who is alive and who leads: what a cluster's `CoordinationService` owes its broker, on a simulated ensemble and on a real one.
@Suite(.serialized) struct ContractTests {
  private static let root = "/contract/a"

  @Test(arguments: GroundKind.available)
  func oneBrokerIsElectedAndEveryoneKnowsIt(_ kind: GroundKind) throws {
    let ground = try kind.make()
    let (leader, others) = try ground.three()
    let present = leader.probe.present?.map(\.presence) ?? []
    #expect(present == [1, 2, 3].map { .sample($0) })
    #expect(
      leader.probe.present?.map(\.epoch)
        == [1, 2, 3].map { id in
          ([leader] + others).first { $0.probe.id == BrokerID(id) }?.probe.epoch
        })
    for broker in others {
      #expect(broker.probe.controller?.id == leader.probe.id)
      #expect(broker.probe.controller?.epoch == leader.probe.controllerEpoch)
      #expect(broker.coordination.clusterID == leader.coordination.clusterID)
      expectNoViolations(broker)
    }
    #expect(leader.coordination.clusterID?.utf8.count == 22)
    expectNoViolations(leader)
  }

  @Test(arguments: GroundKind.available)
  func aDeadControllerIsReplacedAndItsSuccessorHasAHigherEpoch(_ kind: GroundKind) throws {
    let ground = try kind.make()
    let (leader, others) = try ground.three()
    #expect(ground.append(leader, 1, [.note("a", "1")]) == Offset(0))
    ground.kill(leader)
    #expect(ground.run { others.contains { $0.isLeading && $0.probe.present?.count == 2 } })
    let next = try #require(controller(of: others))
    #expect((next.probe.controllerEpoch ?? 0) > (leader.probe.controllerEpoch ?? .max))
    #expect(next.probe.image.configs(for: .brokerDefault) == ["a": "1"])
    // A process that starts on the dead one's folders is back at once, under a higher epoch.
    let again = ground.start(leader.probe.id.value, run: 2)
    #expect(ground.run { next.probe.present?.count == 3 && again.probe.epoch != nil })
    #expect((again.probe.epoch ?? 0) > (leader.probe.epoch ?? .max))
    expectNoViolations(others[0], others[1], again)
  }

  @Test(arguments: GroundKind.available)
  func aProcessThatComesBackTakesItsDeadPredecessorsPlaceWithoutWaiting(_ kind: GroundKind) throws {
    let ground = try kind.make()
    let (leader, others) = try ground.three()
    ground.kill(others[0])
    let again = ground.start(others[0].probe.id.value, run: 2)
    // Long before the dead one's session is over.
    #expect(ground.run(ms: 1800) { again.probe.epoch != nil })
    #expect(ground.run { leader.probe.present?.contains { $0.epoch == again.probe.epoch } ?? false })
    expectNoViolations(leader, again)
  }

  /// A controller that is cut off goes on believing for a while. Nothing it appends then is ever there.

  @Test(arguments: GroundKind.available)
  func anOldControllerIsFenced(_ kind: GroundKind) throws {
    let ground = try kind.make()
    let (old, others) = try ground.three()
    ground.cut(old, answersOnly: false)
    old.probe.append([.note("a", "old")], token: RequestToken(1))
    #expect(ground.run { others.contains { $0.isLeading } })
    let new = try #require(controller(of: others))
    #expect(ground.append(new, 2, [.note("a", "new")]) == Offset(0))
    ground.heal(old)
    #expect(ground.run { old.probe.pending == nil && old.probe.image.offset == Offset(0) })
    #expect(old.probe.failed[RequestToken(1)] != nil && old.probe.controllerEpoch == nil)
    #expect(ground.run { old.probe.epochs.count == 2 && new.probe.present?.count == 3 })
    #expect(ground.append(new, 3, [.note("b", "1")]) == Offset(1))
    #expect(ground.run { old.probe.image.configs(for: .brokerDefault) == ["a": "new", "b": "1"] })
    expectNoViolations(old, others[0], others[1])
  }

  /// The node is deleted by hand, as people do: the controller stands again, and its term is another one.

  @Test(arguments: GroundKind.available)
  func aDeletedControllerNodeLeadsToAnElection(_ kind: GroundKind) throws {
    let ground = try kind.make()
    let (leader, others) = try ground.three()
    let epoch = try #require(leader.probe.controllerEpoch)
    #expect(ground.write([.deleteAny(Self.root + "/controller")]) == nil)
    let all = [leader] + others
    #expect(ground.run { all.contains { ($0.probe.controllerEpoch ?? 0) > epoch && $0.probe.present?.count == 3 } })
    #expect(all.filter(\.isLeading).count == 1)
    expectNoViolations(leader, others[0], others[1])
  }

  /// The answer of an append is lost with the connection, the append itself is not, or is: it is there once, and answered.

  @Test(arguments: GroundKind.available)
  func aLostSessionIsRecoveredFromWithoutARestart(_ kind: GroundKind) throws {
    let ground = try kind.make()
    let (leader, others) = try ground.three()
    let broker = others[0]
    let first = try #require(broker.probe.epoch)
    ground.cut(broker, answersOnly: false)
    #expect(ground.run { leader.probe.present?.count == 2 })
    #expect(broker.probe.isConnected == false)
    // It does not know; and being out of touch changes nothing.
    #expect(broker.probe.epoch == first)
    #expect(ground.append(leader, 1, [.note("a", "1")]) == Offset(0))
    ground.heal(broker)
    #expect(ground.run { broker.probe.epochs.count == 2 && broker.probe.image.offset == Offset(0) })
    #expect((broker.probe.epoch ?? 0) > first)
    #expect(ground.run { leader.probe.present?.count == 3 })
    expectNoViolations(leader, others[0], others[1])
  }

  /// A change of many nodes: everybody has all of it or nothing, also when the controller dies in the middle.

  @Test(arguments: GroundKind.available)
  func anEnsembleThatIsDownIsWaitedFor(_ kind: GroundKind) throws {
    let ground = try kind.make()
    ground.stopServers()
    let broker = ground.start(1)
    #expect(ground.run(ms: 8000) { broker.probe.isConnected == false })
    try ground.startServers()
    #expect(ground.run { broker.probe.present?.count == 1 && broker.probe.isLoaded })
    let epoch = try #require(broker.probe.epoch)
    let other = ground.start(2)
    #expect(ground.run { broker.probe.present?.count == 2 })

    ground.stopServers()
    #expect(ground.run { broker.probe.isConnected == false && other.probe.isConnected == false })
    broker.probe.append([.note("a", "1")], token: RequestToken(1))
    ground.wait(ms: 500)
    #expect(broker.probe.pending != nil && broker.probe.epoch == epoch)
    try ground.startServers()
    #expect(ground.run { broker.probe.pending == nil })
    // The session outlived the servers, and with it everything else.
    #expect(broker.probe.appended[RequestToken(1)] == Offset(0))
    #expect(ground.run { other.probe.image.offset == Offset(0) })
    #expect(broker.probe.epochs == [epoch])
    expectNoViolations(broker, other)
  }

  @Test(arguments: GroundKind.available)
  func whoStopsInOrderIsGoneAtOnce(_ kind: GroundKind) throws {
    let ground = try kind.make()
    let (leader, others) = try ground.three()
    leader.coordination.close()
    #expect(ground.run(ms: 1800) { leader.probe.isClosed })
    #expect(leader.probe.controllerEpoch == nil && leader.probe.epoch == nil)
    #expect(ground.run(ms: 2000) { others.contains { $0.isLeading && $0.probe.present?.count == 2 } })
    expectNoViolations(leader, others[0], others[1])
  }

  @Test(arguments: GroundKind.available)
  func aBrokerThatRegistersAnewHasAHigherEpoch(_ kind: GroundKind) throws {
    let ground = try kind.make()
    let broker = ground.start(1)
    #expect(ground.run { broker.probe.present?.count == 1 })
    broker.coordination.register(.sample(1, run: 5))
    #expect(ground.run { broker.probe.epochs.count == 2 })
    #expect(
      ground.run {
        broker.probe.present == [PresentBroker(presence: .sample(1, run: 5), epoch: broker.probe.epoch ?? 0)]
      })
    expectNoViolations(broker)
  }
}
