import Cluster
import Coordination
import Primitives
import TestSupport
import Testing

/// The metadata log: what a cluster's `CoordinationService` owes its broker, on a simulated ensemble and on a real one.
@Suite(.serialized) struct LogContractTests {
  private static let root = "/contract/a"

  @Test(arguments: GroundKind.available)
  func everybodyHasTheSameLog(_ kind: GroundKind) throws {
    let ground = try kind.make()
    let (leader, others) = try ground.three()
    for number in 0..<20 as Range<UInt64> {
      let offset = ground.append(leader, number, [.note("k\(number % 7)", "\(number)"), .note("n", "\(number)")])
      #expect(offset == Offset(Int64(number) * 2 + 1))
    }
    #expect(ground.append(leader, 100, []) == Offset(39))
    let late = ground.start(4)
    #expect(ground.run { (others + [late]).allSatisfy { $0.probe.image.offset == Offset(39) } })
    for broker in others + [late] {
      #expect(broker.probe.records == leader.probe.records)
      expectNoViolations(broker)
    }
    expectNoViolations(leader)
  }

  @Test(arguments: GroundKind.available)
  func whoIsNotTheControllerCannotAppend(_ kind: GroundKind) throws {
    let ground = try kind.make()
    let (leader, others) = try ground.three()
    others[0].probe.append([.note("a", "1")], token: RequestToken(1))
    #expect(ground.run(ms: 2000) { others[0].probe.pending == nil })
    #expect(others[0].probe.failed[RequestToken(1)]?.code == .notController)
    expectNoViolations(leader, others[0], others[1])
  }

  @Test(arguments: GroundKind.available, [true, false])
  func anAppendWithoutAnAnswerIsThereOnce(_ kind: GroundKind, _ answersOnly: Bool) throws {
    let ground = try kind.make()
    let (leader, others) = try ground.three()
    ground.cut(leader, answersOnly: answersOnly)
    leader.probe.append([.note("a", "1")], token: RequestToken(1))
    ground.wait(ms: 300)
    #expect(leader.probe.pending != nil)
    ground.heal(leader)
    #expect(ground.run { leader.probe.pending == nil })
    #expect(leader.probe.appended[RequestToken(1)] == Offset(0))
    #expect(ground.append(leader, 2, [.note("b", "1")]) == Offset(1))
    #expect(ground.run { others.allSatisfy { $0.probe.image.offset == Offset(1) } })
    #expect(others[0].probe.records == leader.probe.records)
    expectNoViolations(leader, others[0], others[1])
  }

  @Test(arguments: GroundKind.available)
  func snapshotsTakeThePlaceOfOldNodesAndWhoIsBehindLoadsThem(_ kind: GroundKind) throws {
    let ground = try kind.make()
    let adjust = { (settings: inout EnsembleSettings) in
      settings.snapshotNodeCount = 10
      settings.nodeBytesMax = 100
    }
    let (leader, others) = try ground.three(adjust)
    let behind = others[0]
    ground.cut(behind, answersOnly: false)
    for number in 0..<60 as Range<UInt64> {
      #expect(ground.append(leader, number, [.note("k\(number % 9)", "\(number)")]) == Offset(Int64(number)))
    }
    #expect(ground.run { ground.children(of: Self.root + "/metadata/log").count <= 30 })
    #expect(ground.run { ground.children(of: Self.root + "/metadata/snapshots").count <= 3 })
    ground.heal(behind)
    let late = ground.start(4, adjust)
    #expect(ground.run { [behind, late, others[1]].allSatisfy { $0.probe.image.offset == Offset(59) } })
    #expect(behind.probe.snapshotCount == 1 && late.probe.snapshotCount == 1 && others[1].probe.snapshotCount == 0)
    for broker in [behind, late, others[1]] {
      #expect(broker.probe.image.snapshotRecords() == leader.probe.image.snapshotRecords())
    }
    expectNoViolations(leader, behind, late, others[1])
  }

  @Test(arguments: GroundKind.available)
  func aLargeChangeIsThereAsAWholeOrNotAtAll(_ kind: GroundKind) throws {
    let ground = try kind.make()
    let adjust = { (settings: inout EnsembleSettings) in settings.nodeBytesMax = 300 }
    let (leader, others) = try ground.three(adjust)
    let large = (0..<100).map { MetadataRecord.note("k\($0)", "first") }
    #expect(ground.append(leader, 1, large) == Offset(99))
    #expect(ground.run { others.allSatisfy { $0.probe.image.offset == Offset(99) } })
    #expect(others.allSatisfy { $0.probe.commitCount == 1 })

    let nodes = { ground.children(of: Self.root + "/metadata/log").count }
    let before = nodes()
    leader.probe.append((0..<3000).map { .note("k\($0)", "second") }, token: RequestToken(2))
    #expect(ground.run { nodes() > before + 2 })
    ground.kill(leader)
    #expect(ground.run { others.contains { $0.isLeading } })
    let next = try #require(controller(of: others))
    // What the dead controller left is in nobody's way, and in nobody's image.
    #expect(ground.append(next, 3, [.note("k0", "third")]) == Offset(100))
    #expect(ground.run { others.allSatisfy { $0.probe.image.offset == Offset(100) } })
    #expect(others[0].probe.image.configs(for: .brokerDefault)["k1"] == "first")
    #expect(nodes() == before + 1)
    expectNoViolations(others[0], others[1])
  }
}
