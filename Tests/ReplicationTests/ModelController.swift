import Cluster
import Primitives
import Replication

/// The controller of one partition, as simple as it can be: its record, the brokers, and every state there was, for brokers
/// learn of them late.
struct ModelController {
  struct View {
    var image: PartitionImage
    var brokers: [BrokerID: BrokerRegistration] = [:]
  }

  private(set) var views: [View]
  private(set) var current: View
  private var lastBrokerEpoch: Int64 = 0
  let mutation: Mutation?

  init(replicas: [BrokerID], mutation: Mutation?) {
    self.mutation = mutation
    current = View(
      image: PartitionImage(
        replicas: replicas, isr: replicas, leader: replicas[0], leaderEpoch: LeaderEpoch(0), partitionEpoch: 0))
    views = []
    for id in replicas { current.brokers[id] = registration(id) }
    views = [current]
  }

  var image: PartitionImage { current.image }

  func epoch(of id: BrokerID) -> Int64 { current.brokers[id]?.epoch ?? -1 }

  func isActive(_ id: BrokerID) -> Bool { current.brokers[id]?.isActive ?? false }

  private mutating func registration(_ id: BrokerID) -> BrokerRegistration {
    lastBrokerEpoch += 1
    return BrokerRegistration(id: id, epoch: lastBrokerEpoch, rack: "rack \(id.value)", endpoints: [])
  }

  // MARK: brokers come and go

  /// A broker is there again: first out of what it had, then known under a new epoch, then elections. With `isLossy` it may
  /// have lost what it had promised.
  mutating func register(_ id: BrokerID, isLossy: Bool) {
    takeOut(id, isLossy: isLossy)
    current.brokers[id] = registration(id)
    elect()
    publish()
  }

  /// A broker is not seen any more.
  mutating func fence(_ id: BrokerID) {
    guard current.brokers[id]?.isFenced == false else { return }
    takeOut(id, isLossy: false)
    current.brokers[id]?.isFenced = true
    elect()
    publish()
  }

  private mutating func takeOut(_ id: BrokerID, isLossy: Bool) {
    let before = image
    if image.isr.contains(id) {
      if image.isr.count > 1 {
        current.image.isr.removeAll { $0 == id }
      } else if isLossy, !image.doubtfulReplicas.contains(id) {
        current.image.doubtfulReplicas.append(id)
      }
    }
    if image.leader == id {
      current.image.leader = .none
      current.image.leaderEpoch = LeaderEpoch(image.leaderEpoch.value + 1)
    }
    if image != before { current.image.partitionEpoch += 1 }
  }

  private mutating func elect() {
    guard image.leader == .none else { return }
    let next = image.replicas.first {
      image.isr.contains($0) && isActive($0) && !image.doubtfulReplicas.contains($0)
    }
    if let next { lead(next) }
  }

  private mutating func lead(_ id: BrokerID) {
    current.image.leader = id
    current.image.leaderEpoch = LeaderEpoch(image.leaderEpoch.value + 1)
    current.image.partitionEpoch += 1
  }

  private mutating func publish() { views.append(current) }

  // MARK: what an operator asks for

  /// Gives the leadership to another replica that may have it. Returns whether it did.
  mutating func moveLeader(to id: BrokerID) -> Bool {
    guard image.leader != id, image.isr.contains(id), isActive(id), !image.doubtfulReplicas.contains(id) else {
      return false
    }
    lead(id)
    publish()
    return true
  }

  /// Takes a replica off that is not in sync and does not lead; or brings it back. Taking one off begins a new term: a leader
  /// that hears of both at once must forget what the replica once had.
  mutating func setReplica(_ id: BrokerID, isThere: Bool) -> Bool {
    guard image.replicas.contains(id) != isThere, image.leader != id, !image.isr.contains(id) else { return false }
    if isThere {
      current.image.replicas.append(id)
    } else {
      current.image.replicas.removeAll { $0 == id }
      current.image.leaderEpoch = LeaderEpoch(image.leaderEpoch.value + 1)
    }
    current.image.partitionEpoch += 1
    publish()
    return true
  }

  /// Lets any replica lead, where none may: what only others had is lost.
  mutating func electUncleanly() -> Bool {
    guard image.leader == .none, let next = image.replicas.first(where: { isActive($0) }) else { return false }
    current.image.isr = [next]
    current.image.doubtfulReplicas = []
    lead(next)
    publish()
    return true
  }

  // MARK: AlterPartition

  mutating func alter(from id: BrokerID, brokerEpoch: Int64, _ proposal: IsrProposal) -> IsrAnswer {
    guard brokerEpoch == epoch(of: id) else { return .refused(.staleBrokerEpoch) }
    guard proposal.leaderEpoch >= image.leaderEpoch else { return .refused(.fencedLeaderEpoch) }
    guard proposal.leaderEpoch == image.leaderEpoch else { return .refused(.notController) }
    guard image.leader == id else { return .refused(.invalidRequest) }
    guard proposal.partitionEpoch == image.partitionEpoch else { return .refused(.invalidUpdateVersion) }
    for member in proposal.isr {
      guard image.replicas.contains(member.id) else { return .refused(.invalidRequest) }
      let isCurrent = member.brokerEpoch == epoch(of: member.id) || mutation == .staleBrokerEpochJoins
      guard isActive(member.id), isCurrent else { return .refused(.ineligibleReplica) }
    }
    guard proposal.isr.contains(where: { $0.id == id }) else { return .refused(.invalidRequest) }
    current.image.isr = image.replicas.filter { replica in proposal.isr.contains { $0.id == replica } }
    current.image.doubtfulReplicas = []
    current.image.partitionEpoch += 1
    publish()
    return .committed(leaderEpoch: image.leaderEpoch, isr: image.isr, partitionEpoch: image.partitionEpoch)
  }
}
