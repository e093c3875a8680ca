import Primitives
import Testing

@testable import Cluster

private func known(_ id: Int32, epoch: Int64, data: UInt64 = 1, fenced: Bool = false) -> BrokerRegistration {
  BrokerRegistration(
    id: BrokerID(id), epoch: epoch, rack: nil, endpoints: [], dataID: UUID(high: 1, low: data), isFenced: fenced)
}

private func present(_ id: Int32, epoch: Int64, lastRun: LastRun = .killed, data: UInt64 = 1) -> PresentBroker {
  let presence = BrokerPresence(
    id: BrokerID(id), rack: "r", endpoints: [BrokerEndpoint(name: "L", host: "h", port: 1)],
    incarnation: UUID(high: 2, low: 2), dataID: UUID(high: 1, low: data), lastRun: lastRun)
  return PresentBroker(presence: presence, epoch: epoch)
}

private func changes(_ known: [BrokerRegistration], _ present: [PresentBroker]) -> BrokerChanges {
  BrokerChanges(known: Dictionary(uniqueKeysWithValues: known.map { ($0.id, $0) }), present: present)
}

@Suite struct BrokerChangesTests {
  @Test func whoIsKnownAsHeIsDoesNotMatter() {
    #expect(changes([known(1, epoch: 5)], [present(1, epoch: 5)]).isEmpty)
    #expect(changes([known(1, epoch: 5, fenced: true)], []).isEmpty)
    #expect(changes([], []).isEmpty)
  }

  @Test func newGoneAndBackAreToldApart() {
    let changes = changes(
      [known(4, epoch: 4), known(3, epoch: 3), known(2, epoch: 2), known(6, epoch: 6, fenced: true)],
      [present(7, epoch: 70), present(3, epoch: 30), present(6, epoch: 6), present(1, epoch: 10)])
    #expect(changes.fenced.map(\.id) == ids(2, 4) && changes.fenced.allSatisfy { $0.isFenced })
    #expect(changes.arrived.map(\.id) == ids(1, 3, 6, 7) && changes.arrived.allSatisfy { $0.isActive })
    #expect(changes.arrived.map(\.epoch) == [10, 30, 6, 70])
    #expect(changes.ended == Set(ids(2, 3, 4)))
    #expect(Set(changes.returned.keys) == [BrokerID(3)])
    #expect(changes.arrived[0].rack == "r" && changes.arrived[0].endpoints.count == 1)
  }

  /// Also an epoch that is lower: it is another life, whatever the number.
  @Test(arguments: [4, 6]) func anotherEpochIsAnotherLife(epoch: Int64) {
    #expect(changes([known(1, epoch: 5)], [present(1, epoch: epoch)]).ended == [BrokerID(1)])
  }

  @Test(arguments: [
    (LastRun.stopped(brokerEpoch: 5), true, false), (.stopped(brokerEpoch: 4), false, true),
    (.stopped(brokerEpoch: -1), false, true), (.stopped(brokerEpoch: 9), false, true), (.killed, false, false),
    (.lost, false, true), (.foldersGone, false, true),
  ])
  func howTheLastRunEndedCounts(lastRun: LastRun, wasStopped: Bool, mayLack: Bool) throws {
    let changes = changes([known(1, epoch: 5)], [present(1, epoch: 9, lastRun: lastRun)])
    let back = try #require(changes.returned[BrokerID(1)])
    #expect(back.wasStopped == wasStopped && back.mayLackUnflushed == mayLack && !back.hasOtherData)
    #expect(back.mayLackAnything == (lastRun == .foldersGone))
  }

  @Test func otherFoldersAreNoticed() {
    let swapped = changes([known(1, epoch: 5)], [present(1, epoch: 9, data: 2)])
    #expect(swapped.returned[BrokerID(1)]?.hasOtherData == true)
    // Registered by a release that did not write the folders' id down.
    let before = BrokerRegistration(id: BrokerID(1), epoch: 5, rack: nil, endpoints: [])
    #expect(changes([before], [present(1, epoch: 9, data: 2)]).returned[BrokerID(1)]?.hasOtherData == false)
  }
}
