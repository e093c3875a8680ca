import Configuration
import KafkaProtocol
import Primitives
import Testing

@testable import Cluster

/// What must hold after every decision. Knows the rules by itself: which replicas may lack acknowledged records follows
/// from the histories of their brokers, not from what the controller wrote down.
struct ControllerChecker {
  /// A replica on a broker.
  struct Copy: Hashable {
    let partition: TopicIDPartition
    let broker: BrokerID
  }

  /// Replicas that may lack records that were acknowledged while they were in sync.
  private var suspects: Set<Copy> = []
  /// Of those, the ones whose folder is another one.
  private var swapped: Set<Copy> = []
  /// Replicas that their brokers have said they have lost, in their present lives.
  private var lost: [TopicIDPartition: Set<BrokerID>] = [:]

  mutating func check(
    _ command: ControllerCommand, before: ClusterImage, after: ClusterImage, records: [MetadataRecord]
  ) {
    let lives = Lives(command, before: before, after: after)
    checkLog(records, before: before, after: after)
    for name in after.topicNames {
      guard let topic = after.topic(named: name) else { continue }
      let config = BrokerConfig().topicConfig(overrides: topic.configs)
      let unclean =
        topic.configs["unclean.leader.election.enable"].map { $0 == "true" }
        ?? (after.configs(for: .brokerDefault)["unclean.leader.election.enable"] == "true")
      for (index, new) in topic.partitions.enumerated() {
        let id = TopicIDPartition(topic.id, Int32(index))
        let old = before.topic(id: topic.id)?.partition(Int32(index))
        suspect(id, old, lives: lives, isFlushedFirst: config.isFlushedFirst)
        var change = Change(
          command: command, id: id, old: old, new: new, after: after, lives: lives, isUncleanAllowed: unclean)
        if case .electLeaders(let request) = command, request.electionType == 1 { change.isUncleanAsked = true }
        change.checkShape()
        change.checkEpochs()
        change.checkMembers()
        clearJoined(change)
        checkSuspects(change)
        change.checkLiveness()
        checkWait(change)
        change.checkMoves()
        change.checkLost(lost[id] ?? [], before: before)
        lost[id] = Set(new.offlineReplicas)
        clearLeader(change)
      }
    }
  }

  private func checkLog(_ records: [MetadataRecord], before: ClusterImage, after: ClusterImage) {
    var named: Set<TopicIDPartition> = []
    for case .partition(let record) in records {
      let isFirst = named.insert(TopicIDPartition(record.topicId, record.partitionIndex)).inserted
      #expect(isFirst, "two records of one partition in one decision")
    }
    var copy = ClusterImage()
    for (offset, record) in after.snapshotRecords().enumerated() { copy.replay(record, at: Offset(Int64(offset))) }
    #expect(copy.snapshotRecords() == after.snapshotRecords())
    for id in copy.brokers.keys { #expect(copy.brokers[id] == after.brokers[id]) }
    for name in after.topicNames { #expect(copy.topic(named: name) == after.topic(named: name)) }
  }

  // MARK: who may have lost what

  private mutating func suspect(
    _ id: TopicIDPartition, _ old: PartitionImage?, lives: Lives, isFlushedFirst: Bool
  ) {
    for replica in old?.replicas ?? [] {
      guard let life = lives.begun[replica] else { continue }
      let copy = Copy(partition: id, broker: replica)
      if life.hasOtherData { swapped.insert(copy) }
      if life.hasOtherData || life.mayLackAnything || (life.mayLackUnflushed && !isFlushedFirst) {
        suspects.insert(copy)
      }
    }
  }

  private func checkSuspects(_ change: Change) {
    let copy = Copy(partition: change.id, broker: change.new.leader)
    guard change.new.leader != .none, suspects.contains(copy), !change.mayBeUnclean else { return }
    // Where it is the only one there can be no better copy, as long as it is the same folder.
    let isOnly = change.new.replicas.count == 1 && !swapped.contains(copy)
    #expect(isOnly, "\(change.new.leader) leads and may lack records: \(change)")
  }

  /// Nobody who is there and has everything waits; and who has everything is waited for.
  private func checkWait(_ change: Change) {
    guard change.new.leader == .none else { return }
    for member in change.new.isr where change.isActive(member) {
      #expect(suspects.contains(Copy(partition: change.id, broker: member)), "\(member) could lead: \(change)")
    }
    guard case .brokersPresent = change.command, let old = change.old, old.leader != .none else { return }
    for member in old.isr where change.lives.begun[member] == nil {
      #expect(change.new.isr.contains(member), "\(member) is not waited for: \(change)")
    }
  }

  /// Who follows a leader and is in sync again has what the leader has.
  private mutating func clearJoined(_ change: Change) {
    guard case .alterPartition = change.command else { return }
    for replica in change.new.isr where change.old?.isr.contains(replica) == false { clear(replica, change.id) }
  }

  /// What an only or an unclean leader has is the truth.
  private mutating func clearLeader(_ change: Change) {
    if change.new.leader != .none { clear(change.new.leader, change.id) }
  }

  private mutating func clear(_ broker: BrokerID, _ partition: TopicIDPartition) {
    suspects.remove(Copy(partition: partition, broker: broker))
    swapped.remove(Copy(partition: partition, broker: broker))
  }
}

/// The lives of brokers that a decision was told have begun.
struct Lives {
  struct Life {
    var mayLackUnflushed: Bool
    var mayLackAnything: Bool
    var hasOtherData: Bool
    var wasStopped: Bool
  }

  private(set) var begun: [BrokerID: Life] = [:]

  init(_ command: ControllerCommand, before: ClusterImage, after: ClusterImage) {
    guard case .brokersPresent(let present) = command else { return }
    for broker in present {
      guard let old = before.brokers[broker.presence.id], old.epoch != broker.epoch else { continue }
      let wasStopped = broker.presence.lastRun == .stopped(brokerEpoch: old.epoch)
      begun[old.id] = Life(
        mayLackUnflushed: !wasStopped && broker.presence.lastRun != .killed,
        mayLackAnything: broker.presence.lastRun == .foldersGone,
        hasOtherData: old.dataID != broker.presence.dataID, wasStopped: wasStopped)
    }
  }
}

/// One partition before and after a decision.
struct Change: CustomStringConvertible {
  let command: ControllerCommand
  let id: TopicIDPartition
  let old: PartitionImage?
  let new: PartitionImage
  let after: ClusterImage
  let lives: Lives
  let isUncleanAllowed: Bool
  var isUncleanAsked = false

  var description: String { "\(command)\n  before \(String(describing: old))\n  after \(new)" }
  var mayBeUnclean: Bool { isUncleanAllowed || isUncleanAsked }

  /// Whether it may lead and be in sync.
  func isActive(_ broker: BrokerID) -> Bool {
    after.brokers[broker]?.isActive == true && !new.offlineReplicas.contains(broker)
  }

  /// What is known of lost replicas follows from what their brokers said, and nothing else.
  func checkLost(_ known: Set<BrokerID>, before: ClusterImage) {
    var lost = known.filter { lives.begun[$0] == nil }
    if case .assignReplicasToDirs(let request) = command,
      before.brokers[BrokerID(request.brokerId)]?.epoch == request.brokerEpoch
    {
      for directory in request.directories {
        for topic in directory.topics where topic.topicId == id.topicID {
          for partition in topic.partitions where partition.partitionIndex == id.partition {
            if directory.id == DirectoryID.lost {
              lost.insert(BrokerID(request.brokerId))
            } else {
              lost.remove(BrokerID(request.brokerId))
            }
          }
        }
      }
    }
    #expect(Set(new.offlineReplicas) == lost.intersection(new.replicas), "\(self)")
    #expect(Set(new.offlineReplicas).count == new.offlineReplicas.count, "\(self)")
    if new.leader != .none { #expect(Set(new.isr).isDisjoint(with: new.offlineReplicas), "\(self)") }
  }

  func checkShape() {
    #expect(!new.replicas.isEmpty && Set(new.replicas).count == new.replicas.count, "\(self)")
    #expect(!new.isr.isEmpty && Set(new.isr).count == new.isr.count, "\(self)")
    #expect(Set(new.isr).isSubset(of: new.replicas), "\(self)")
    #expect(Set(new.doubtfulReplicas).isSubset(of: new.isr), "\(self)")
    #expect(new.leader == .none || new.isr.contains(new.leader), "\(self)")
    #expect(Set(new.addingReplicas).isDisjoint(with: new.removingReplicas), "\(self)")
    #expect(Set(new.addingReplicas + new.removingReplicas).isSubset(of: new.replicas), "\(self)")
    #expect(new.replicas.allSatisfy { after.brokers[$0] != nil }, "\(self)")
  }

  func checkEpochs() {
    guard let old else { return }
    if new == old { return }
    #expect(new.partitionEpoch == old.partitionEpoch + 1, "\(self)")
    #expect(new.leaderEpoch >= old.leaderEpoch, "\(self)")
    if new.leader != old.leader { #expect(new.leaderEpoch > old.leaderEpoch, "\(self)") }
  }

  func checkMembers() {
    let hasChangedLeader = new.leader != .none && new.leader != old?.leader
    if hasChangedLeader { #expect(isActive(new.leader), "\(self)") }
    if hasChangedLeader, let old, !old.isr.contains(new.leader) {
      var hasJoined = false
      if case .alterPartition = command { hasJoined = true }
      #expect(hasJoined || mayBeUnclean, "not in sync before: \(self)")
    }
    for member in new.isr where old?.isr.contains(member) != true { #expect(isActive(member), "\(self)") }
    if new.leader != .none { #expect(new.isr.allSatisfy { after.brokers[$0]?.isFenced == false }, "\(self)") }
    guard let old else { return }
    for broker in lives.begun.keys where old.isr.contains(broker) {
      #expect(new.isr == [broker] || !new.isr.contains(broker), "it died and came back: \(self)")
      guard old.leader == broker, new.leader == broker else { continue }
      let isUntouched = lives.begun[broker]?.wasStopped == true && new.replicas.count == 1
      #expect(isUntouched || new.leaderEpoch > old.leaderEpoch, "\(self)")
    }
  }

  /// Where somebody may lead, somebody leads.
  func checkLiveness() {
    guard new.leader == .none else { return }
    #expect(!new.isr.contains { isActive($0) && !new.doubtfulReplicas.contains($0) }, "\(self)")
    if isUncleanAllowed { #expect(!new.replicas.contains(where: isActive), "\(self)") }
  }

  func checkMoves() {
    guard let old, old.isReassigning else { return }
    if case .alterPartitionReassignments = command { return }
    if new.isReassigning {
      #expect(new.replicas == old.replicas && new.addingReplicas == old.addingReplicas, "\(self)")
      let isDone = Set(new.targetReplicas).isSubset(of: new.isr) && new.leader != .none
      #expect(!isDone, "a move that is done goes on: \(self)")
    } else {
      #expect(new.replicas == old.replicas.filter { !old.removingReplicas.contains($0) }, "\(self)")
      #expect(Set(new.isr) == Set(new.replicas) && new.leader != .none, "\(self)")
    }
  }
}
