import Primitives
import Testing

@testable import Cluster

private func brokers(active: [Int32], shuttingDown: [Int32] = [], fenced: [Int32] = []) -> LivingBrokers {
  var all: [BrokerID: BrokerRegistration] = [:]
  for id in active + shuttingDown + fenced {
    all[BrokerID(id)] = BrokerRegistration(
      id: BrokerID(id), epoch: 1, rack: nil, endpoints: [], isFenced: fenced.contains(id),
      isShuttingDown: shuttingDown.contains(id))
  }
  return LivingBrokers(all)
}

private func partition(
  _ replicas: [BrokerID], isr: [BrokerID], leader: Int32 = -1, doubtful: [BrokerID] = [], adding: [BrokerID] = [],
  removing: [BrokerID] = []
) -> PartitionImage {
  PartitionImage(
    replicas: replicas, isr: isr, leader: BrokerID(leader), leaderEpoch: LeaderEpoch(5), partitionEpoch: 9,
    addingReplicas: adding, removingReplicas: removing, doubtfulReplicas: doubtful)
}

private func settled(
  _ partition: PartitionImage, _ brokers: LivingBrokers, unclean: Bool = false
) -> PartitionImage? {
  LeaderElection(brokers: brokers, isUncleanAllowed: unclean).settled(partition, from: partition)
}

@Suite struct LeaderElectionTests {
  @Test func aLeaderThatIsWellStays() {
    let replicas = ids(1, 2, 3)
    #expect(settled(partition(replicas, isr: ids(1, 2), leader: 2), brokers(active: [1, 2, 3])) == nil)
    #expect(settled(partition(replicas, isr: ids(2), leader: 2), brokers(active: [1, 3], shuttingDown: [2])) == nil)
  }

  @Test func thePreferredOfThoseInSyncLeads() throws {
    let old = partition(ids(1, 2, 3), isr: ids(3, 2))
    let new = try #require(settled(old, brokers(active: [1, 2, 3])))
    #expect(new.leader == BrokerID(2) && new.isr == ids(3, 2))
    #expect(new.leaderEpoch.value == 6 && new.partitionEpoch == 10)
    let other = try #require(settled(old, brokers(active: [1, 3], shuttingDown: [2])))
    #expect(other.leader == BrokerID(3))
  }

  @Test func whoeverIsNotInSyncDoesNotLead() {
    #expect(settled(partition(ids(1, 2), isr: ids(2)), brokers(active: [1], fenced: [2])) == nil)
    #expect(settled(partition(ids(1, 2), isr: ids(2), doubtful: ids(2)), brokers(active: [1, 2])) == nil)
  }

  @Test func aLeaderThatMayNotGoOnIsRemoved() throws {
    for (old, living) in [
      (partition(ids(1), isr: ids(1), leader: 1), brokers(active: [], fenced: [1])),
      (partition(ids(1), isr: ids(1), leader: 1, doubtful: ids(1)), brokers(active: [1])),
      (partition(ids(1, 2), isr: ids(2), leader: 1), brokers(active: [1], fenced: [2])),
    ] {
      let new = try #require(settled(old, living))
      #expect(new.leader == .none && new.leaderEpoch.value == 6 && new.isr == old.isr)
    }
  }

  @Test func uncleanOnesLeadAloneWhereAllowed() throws {
    let out = partition(ids(1, 2, 3), isr: ids(1))
    let new = try #require(settled(out, brokers(active: [2, 3], fenced: [1]), unclean: true))
    #expect(new.leader == BrokerID(2) && new.isr == ids(2))
    let doubtful = partition(ids(1, 2, 3), isr: ids(3), doubtful: ids(3))
    let last = try #require(settled(doubtful, brokers(active: [1, 2, 3]), unclean: true))
    #expect(last.leader == BrokerID(3) && last.isr == ids(3) && last.doubtfulReplicas.isEmpty)
    #expect(settled(out, brokers(active: [], shuttingDown: [2], fenced: [1, 3]), unclean: true) == nil)
    // Clean before unclean.
    let clean = partition(ids(1, 2, 3), isr: ids(3))
    #expect(settled(clean, brokers(active: [1, 2, 3]), unclean: true)?.leader == BrokerID(3))
  }

  /// Who was away does not come back into the ISR of a leader.
  @Test func withALeaderTheIsrIsOfTheLiving() throws {
    let old = partition(ids(1, 2, 3), isr: ids(1, 2, 3))
    let new = try #require(settled(old, brokers(active: [3], fenced: [1, 2])))
    #expect(new.leader == BrokerID(3) && new.isr == ids(3))
    #expect(settled(old, brokers(active: [], fenced: [1, 2, 3])) == nil)
  }

  @Test func aNewTermNeedsNoOtherLeader() throws {
    let old = partition(ids(1), isr: ids(1), leader: 1)
    let election = LeaderElection(brokers: brokers(active: [1]), isUncleanAllowed: false)
    let new = try #require(election.settled(old, from: old, isNewTerm: true))
    #expect(new.leader == BrokerID(1) && new.leaderEpoch.value == 6 && new.partitionEpoch == 10)
  }

  @Test func aMoveEndsWhenItsTargetIsInSync() throws {
    let moving = partition(ids(4, 2, 1), isr: ids(1, 2, 4), leader: 1, adding: ids(4), removing: ids(1))
    let new = try #require(settled(moving, brokers(active: [1, 2, 4])))
    #expect(new.replicas == ids(4, 2) && new.isr == ids(2, 4) && !new.isReassigning)
    #expect(new.leader == BrokerID(4) && new.leaderEpoch.value == 6 && new.partitionEpoch == 10)
    let behind = partition(ids(4, 2, 1), isr: ids(1, 4), leader: 1, adding: ids(4), removing: ids(1))
    #expect(settled(behind, brokers(active: [1, 2, 4])) == nil)
  }

  /// What the others hold is not given away for replicas that are away, or in doubt.
  @Test func aMoveDoesNotEndWithoutALeader() throws {
    let moving = partition(ids(4, 1), isr: ids(4), leader: 4, adding: ids(4), removing: ids(1))
    let away = try #require(settled(moving, brokers(active: [1], fenced: [4])))
    #expect(away.isReassigning && away.leader == .none)
    let doubtful = partition(ids(4, 1), isr: ids(4), doubtful: ids(4), adding: ids(4), removing: ids(1))
    #expect(settled(doubtful, brokers(active: [1, 4])) == nil)
    let unclean = try #require(settled(doubtful, brokers(active: [1, 4]), unclean: true))
    #expect(unclean.leader == BrokerID(4) && unclean.replicas == ids(4) && !unclean.isReassigning)
  }
}
